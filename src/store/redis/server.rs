//! The server of a connection: its address, or the way to find it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Client, RedisError};
use tokio::sync::watch;

use super::failure::{is_setting, refused};
use super::sentinel::Sentinels;

/// After a failed attempt to connect, calls fail at once for this long instead of trying one after
/// the other.
const REFUSED_FOR: Duration = Duration::from_millis(100);

/// The server of a connection.
#[derive(Clone)]
pub(super) enum Server {
    /// The server at this address.
    Known(Box<Client>),
    /// The server that is the primary when the connection is opened.
    Watched(Arc<Sentinels>),
}

/// Whether the server of a connection is still the primary. Without sentinels it always is.
#[derive(Clone, Default)]
pub(super) struct Primary(Option<watch::Receiver<String>>);

/// The last failed attempt to connect: its time and error.
#[derive(Default)]
pub(super) struct LastRefusal(Option<(Instant, RedisError)>);

impl Server {
    /// The server's address; that of the primary that was found last, under sentinels.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Known(client) => client.get_connection_info().addr().to_string(),
            Self::Watched(sentinels) => sentinels.primary(),
        }
    }
}

impl Primary {
    /// Watches the address of the primary, whose present value is the connection's server.
    pub(super) fn watched(address: watch::Receiver<String>) -> Self {
        Self(Some(address))
    }

    /// Whether another server is the primary now.
    pub(super) fn is_replaced(&self) -> bool {
        self.0.as_ref().is_some_and(|address| address.has_changed().unwrap_or(false))
    }

    /// Returns when another server becomes the primary; never returns without sentinels.
    pub(super) async fn replaced(mut self) {
        if let Some(address) = &mut self.0
            && address.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

impl LastRefusal {
    /// Fails with the last reason if the last attempt to connect failed within [`REFUSED_FOR`].
    pub(super) fn check(&self) -> Result<(), RedisError> {
        match &self.0 {
            Some((at, error)) if at.elapsed() < REFUSED_FOR => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Records a failed attempt, and returns its error: an unavailable server, whatever the reason,
    /// unless the settings are wrong.
    pub(super) fn record(&mut self, error: RedisError) -> RedisError {
        let error = if is_setting(&error) { error } else { refused(&error.to_string()) };
        self.0 = Some((Instant::now(), error.clone()));
        error
    }

    /// Records an attempt that succeeded.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_attempt_refuses_others_for_a_moment_only() {
        let mut last = LastRefusal::default();
        assert!(last.check().is_ok());
        assert!(last.record(refused("no route")).is_io_error());
        assert!(last.check().unwrap_err().to_string().contains("no route"));
        std::thread::sleep(REFUSED_FOR);
        assert!(last.check().is_ok());
        last.record(refused("no route"));
        last.clear();
        assert!(last.check().is_ok());
    }

    #[tokio::test]
    async fn a_primary_is_replaced_once_another_address_is_found() {
        let address = watch::Sender::new("a:1".to_owned());
        let primary = Primary::watched(address.subscribe());
        assert!(!primary.is_replaced() && !Primary::default().is_replaced());
        address.send_replace("b:2".to_owned());
        assert!(primary.is_replaced());
        primary.replaced().await;
    }
}
