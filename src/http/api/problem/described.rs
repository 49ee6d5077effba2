//! What follows from a problem code: its name, its reference, and an example.

use serde_json::{Value, json};

use super::code::ProblemCode;
use super::kind::ProblemKind;

impl ProblemCode {
    /// Finds the code with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.kind().code == name)
    }

    /// The value of the member `type`: the path that explains this code.
    #[must_use]
    pub fn reference(self) -> String {
        format!("/problems/{}", self.kind().code)
    }

    /// An example body of a problem with this code.
    #[must_use]
    pub fn example(self) -> Value {
        let ProblemKind { code, status, title, .. } = self.kind();
        let mut body = json!({
            "type": self.reference(),
            "title": title,
            "status": status.as_u16(),
            "code": code,
            "detail": title,
            "instance": "01a204a3-6085-71f0-926c-0b548a1543cc",
        });
        if let (Value::Object(body), Value::Object(members)) = (&mut body, self.members()) {
            body.extend(members);
        }
        body
    }
}
