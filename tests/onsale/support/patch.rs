//! Changes SQL functions at their patch points, so that a test can take a guard out.
//!
//! A patch point is a line `-- patch: name` in a file of `migrations/functions`. The next statement
//! can be replaced, or others can be put before it. So a test names the guard and not its text.

use std::path::Path;

use sqlx::{AssertSqlSafe, PgPool};

/// The text of a function, with the patches so far.
pub struct Patch {
    function: &'static str,
    text: String,
}

impl Patch {
    /// The function as its file has it.
    pub fn of(function: &'static str) -> Self {
        Self { function, text: text_of(function) }
    }

    /// Puts `by` in place of the statement.
    pub fn replace(self, point: &str, by: &str) -> Self {
        let (before, _, after) = self.around(point);
        Self { function: self.function, text: format!("{before}{by}\n{after}") }
    }

    /// Puts `sql` in front of the statement.
    pub fn insert_before(self, point: &str, sql: &str) -> Self {
        let (before, statement, after) = self.around(point);
        Self { function: self.function, text: format!("{before}{sql}\n{statement}{after}") }
    }

    /// The `create or replace function` with the patches.
    pub fn sql(self) -> String {
        self.text
    }

    /// Replaces the function in the database.
    pub async fn apply(self, pool: &PgPool) {
        sqlx::raw_sql(AssertSqlSafe(self.text)).execute(pool).await.expect("it is replaced");
    }

    /// The text before a point's statement, the statement, and the text after it. A statement ends
    /// with the line that ends with a semicolon.
    fn around(&self, point: &str) -> (String, String, String) {
        let mark = format!("-- patch: {point}\n");
        let (before, rest) = self.text.split_once(&mark).unwrap_or_else(|| {
            panic!("{} has no patch point {point}", self.function);
        });
        let end = rest.find(";\n").expect("a statement after the point") + 2;
        (format!("{before}{mark}"), rest[..end].to_owned(), rest[end..].to_owned())
    }
}

/// The text of a function's file.
pub fn text_of(function: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/functions");
    std::fs::read_to_string(folder.join(format!("{function}.sql"))).expect("the function's file")
}

/// The names of a function's patch points, in the order of its text.
pub fn points_of(function: &str) -> Vec<String> {
    let text = text_of(function);
    let names = text.lines().filter_map(|line| line.trim_start().strip_prefix("-- patch: "));
    names.map(str::to_owned).collect()
}
