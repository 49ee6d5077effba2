//! A receiver of webhooks: a real HTTP server that answers as a test wants, or does not answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A message that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub id: String,
    pub timestamp: i64,
    /// The signatures in the header.
    pub signatures: Vec<String>,
    pub raw: String,
    pub body: Value,
    /// How often the id has arrived, with this message.
    pub times: usize,
}

/// What the receiver does with a message.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers with this status and these header lines (each ends with a line break).
    Status(u16, String),
    /// Closes the connection without an answer.
    Drop,
    /// Answers 200 after this time.
    Late(Duration),
    /// Answers 200 with a body that does not end.
    Endless,
}

type Behaviour = Box<dyn Fn(&Received) -> Reply + Send + Sync>;

/// The receiver.
pub struct Receiver {
    addr: SocketAddr,
    behaviour: Mutex<Behaviour>,
    /// Every message, in the order of arrival, and whether it was answered with 2xx.
    received: Mutex<Vec<(Received, bool)>>,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::Status(status, String::new())
    }

    fn is_accepted(&self) -> bool {
        !matches!(self, Self::Drop) && !matches!(self, Self::Status(status, _) if status / 100 != 2)
    }
}

impl Received {
    pub fn kind(&self) -> &str {
        self.body["type"].as_str().expect("a type")
    }

    /// Whether one of the `v1` signatures is that of this secret (`whsec_…`).
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let secret = secret.strip_prefix("whsec_").expect("a secret");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret).expect("base64"));
        let content = format!("{}.{}.{}", self.id, self.timestamp, self.raw);
        let v1 = self.signatures.iter().filter_map(|one| one.strip_prefix("v1,"));
        v1.filter_map(|text| STANDARD.decode(text).ok())
            .any(|tag| hmac::verify(&key, content.as_bytes(), &tag).is_ok())
    }

    /// Whether one of the `v1a` signatures is that of the owner of this public key (`whpk_…`).
    pub fn is_signed_by(&self, public_key: &str) -> bool {
        let key = public_key.strip_prefix("whpk_").expect("a public key");
        let key = UnparsedPublicKey::new(&ED25519, STANDARD.decode(key).expect("base64"));
        let content = format!("{}.{}.{}", self.id, self.timestamp, self.raw);
        let v1a = self.signatures.iter().filter_map(|one| one.strip_prefix("v1a,"));
        v1a.filter_map(|text| STANDARD.decode(text).ok())
            .any(|signature| key.verify(content.as_bytes(), &signature).is_ok())
    }
}

impl Receiver {
    /// Starts a receiver that does with each message what `behaviour` says.
    pub async fn start(
        behaviour: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let receiver = Arc::new(Self {
            addr: listener.local_addr().expect("an address"),
            behaviour: Mutex::new(Box::new(behaviour)),
            received: Mutex::new(Vec::new()),
        });
        let serving = Arc::clone(&receiver);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serving).serve(stream));
            }
        });
        receiver
    }

    /// A receiver that answers 204.
    pub async fn willing() -> Arc<Self> {
        Self::start(|_| Reply::status(204)).await
    }

    pub fn behave(&self, behaviour: impl Fn(&Received) -> Reply + Send + Sync + 'static) {
        *self.behaviour.lock().unwrap() = Box::new(behaviour);
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.addr)
    }

    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Every message, in the order of arrival.
    pub fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().iter().map(|(message, _)| message.clone()).collect()
    }

    /// The messages that were accepted, in the order of arrival.
    pub fn accepted(&self) -> Vec<Received> {
        let received = self.received.lock().unwrap();
        received.iter().filter(|(_, accepted)| *accepted).map(|(it, _)| it.clone()).collect()
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(reply) = self.receive(&mut stream).await {
            let (status, headers) = match reply {
                Reply::Drop => return,
                Reply::Status(status, headers) => (status, headers),
                Reply::Late(after) => {
                    tokio::time::sleep(after).await;
                    (200, String::new())
                }
                Reply::Endless => {
                    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                    let mut sent = stream.write_all(head.as_bytes()).await;
                    while sent.is_ok() {
                        let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
                        sent = stream.write_all(chunk.as_bytes()).await;
                    }
                    return;
                }
            };
            let length = if status == 204 { "" } else { "content-length: 0\r\n" };
            let head = format!("HTTP/1.1 {status} Answer\r\n{length}{headers}\r\n");
            if stream.write_all(head.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// Reads one request; `None` at the end of the connection.
    async fn receive(&self, stream: &mut BufReader<TcpStream>) -> Option<Reply> {
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() && !headers.is_empty() {
                break;
            }
            headers.push(line);
        }
        assert!(headers[0].starts_with("POST /hooks "), "{}", headers[0]);
        let header = |name: &str| {
            let mut value = headers.iter().filter_map(|line| line.split_once(": "));
            let found = value.rfind(|(found, _)| found.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        assert_eq!(header("content-type"), "application/json");
        let mut raw = vec![0; header("content-length").parse().expect("a length")];
        stream.read_exact(&mut raw).await.ok()?;
        let raw = String::from_utf8(raw).expect("UTF-8");
        let (id, mut received) = (header("webhook-id"), self.received.lock().unwrap());
        let message = Received {
            timestamp: header("webhook-timestamp").parse().expect("a time"),
            signatures: header("webhook-signature").split(' ').map(str::to_owned).collect(),
            body: serde_json::from_str(&raw).expect("JSON"),
            raw,
            times: received.iter().filter(|(earlier, _)| earlier.id == id).count() + 1,
            id,
        };
        let reply = (self.behaviour.lock().unwrap())(&message);
        received.push((message, reply.is_accepted()));
        Some(reply)
    }
}
