//! The metrics that `deploy/kubernetes/autoscaler.yaml` scales by exist.

use crate::streams::tickets::one_slot;
use crate::support::events::Events;
use crate::support::wait::until;
use crate::support::world::World;

#[tokio::test]
async fn a_process_has_the_metrics_that_the_autoscaler_uses() {
    let adapter = include_str!("../../../deploy/kubernetes/adapter.yaml");
    let series = adapter.lines().filter_map(|line| line.trim().strip_prefix("- seriesQuery: "));
    let series: Vec<&str> = series.filter_map(|query| query.split('{').next()).collect();
    assert_eq!(series.len(), 2);
    let world = World::new().await;
    let process = world.start().await;
    let (_sale, crowd) = one_slot(&world, &process, 3).await;
    let _stream = Events::of_ticket(process.addr, &crowd[2], None).await;
    for name in series {
        until(&format!("{name} is above zero"), async || {
            let metrics = process.anonymous().get("/metrics").await.text;
            let mut samples = metrics.lines().filter(|line| line.starts_with(&format!("{name}{{")));
            samples.any(|line| !line.ends_with(" 0")).then_some(())
        })
        .await;
    }
}
