//! Certificates of a test, and Redis servers that speak only TLS with them.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use redis::{Client, ClientTlsConfig, FromRedisValue, TlsCertificates};

use super::tools::{Tool, folder, free_port};
use super::wait::until;

/// Files in PEM, removed with it: `ca.pem`; `server.pem` and `client.pem`, which that CA has signed,
/// with their keys `server.key` and `client.key`; and `other.pem`, another CA.
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Makes the files. The certificate of the server is valid for 127.0.0.1 and localhost.
    pub fn new() -> Self {
        let made = Self { folder: folder("tls") };
        let ca = made.authority("ca.pem", "The CA of the test");
        made.authority("other.pem", "Another CA");
        for (name, hosts) in
            [("server", &["127.0.0.1", "localhost"][..]), ("client", &["onsale.example"])]
        {
            let key = KeyPair::generate().expect("a key");
            let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
            let params = CertificateParams::new(hosts).expect("names");
            let signed = params.signed_by(&key, &ca).expect("a certificate");
            made.write(&format!("{name}.pem"), &signed.pem());
            made.write(&format!("{name}.key"), &key.serialize_pem());
        }
        made
    }

    fn authority(&self, file: &str, name: &str) -> Issuer<'static, KeyPair> {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        self.write(file, &params.self_signed(&key).expect("a certificate").pem());
        Issuer::new(params, key)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).expect("a file");
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).expect("a file")
    }

    /// The lines of Redis's configuration for a server that speaks only TLS, and accepts only clients
    /// with a certificate.
    fn lines(&self) -> String {
        format!(
            "port 0\ntls-port PORT\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\n\
             tls-auth-clients yes\ntls-replication yes\n",
            self.path("server.pem"),
            self.path("server.key"),
            self.path("ca.pem")
        )
    }

    /// A single server.
    pub async fn redis(&self) -> Tool {
        Tool::redis(&format!("{}save \"\"", self.lines()), false).await
    }

    /// A sentinel of a server.
    pub async fn sentinel(&self, primary: &Tool) -> Tool {
        let lines = format!(
            "{}sentinel monitor onsale 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds onsale 2000",
            self.lines(),
            primary.port
        );
        Tool::redis(&lines, true).await
    }

    /// A cluster of three primaries that serves.
    pub async fn cluster(&self) -> Vec<Tool> {
        let (mut nodes, mut buses) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let bus = free_port();
            let lines = format!(
                "{}save \"\"\ncluster-enabled yes\ntls-cluster yes\ncluster-port {bus}\n\
                 cluster-node-timeout 2000",
                self.lines()
            );
            nodes.push(Tool::redis(&lines, false).await);
            buses.push(bus);
        }
        for (at, node) in nodes.iter().enumerate() {
            let (first, last) = (16_384 * at / 3, 16_384 * (at + 1) / 3 - 1);
            let (first, last) = (first.to_string(), last.to_string());
            let epoch = (at + 1).to_string();
            self.ask::<()>(node, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
            self.ask::<()>(node, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await;
        }
        for (node, bus) in nodes.iter().zip(&buses).skip(1) {
            let (port, bus) = (node.port.to_string(), bus.to_string());
            self.ask::<()>(&nodes[0], &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
        }
        for node in &nodes {
            until("the node serves", async || {
                let info: String = self.ask(node, &["CLUSTER", "INFO"]).await;
                let serves = info.contains("cluster_state:ok");
                (serves && info.contains("cluster_known_nodes:3")).then_some(())
            })
            .await;
        }
        nodes
    }

    /// Runs one command on a server, as a client with a certificate.
    pub async fn ask<T: FromRedisValue>(&self, server: &Tool, words: &[&str]) -> T {
        let client_tls = Some(ClientTlsConfig {
            client_cert: self.read("client.pem"),
            client_key: self.read("client.key"),
        });
        let certificates = TlsCertificates { client_tls, root_cert: Some(self.read("ca.pem")) };
        let url = format!("rediss://127.0.0.1:{}", server.port);
        let client = Client::build_with_tls(url, certificates).expect("a client");
        let mut connection =
            client.get_multiplexed_async_connection().await.expect("a connection over TLS");
        let command = redis::cmd(words[0]).arg(&words[1..]).to_owned();
        command.query_async(&mut connection).await.expect("an answer")
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
