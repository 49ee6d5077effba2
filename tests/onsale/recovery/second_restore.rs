//! Two restores of the same backup.

use super::restore::{Scene, sign_up};
use crate::support::wait::until;

/// Two restores of the same backup: what the first one began is not repeated by the second.
#[tokio::test]
async fn a_second_restore_of_an_older_backup_repeats_nothing_of_the_first() {
    let mut scene = Scene::set().await;
    scene.stage.prepare().await;
    scene.stage.restore().await;
    let finished = scene.stage.finish(&["--sell-missing"]).await;
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    let first = "select generation from restore";
    let first = scene.stage.world.number(first).await;
    let process = scene.stage.world.start().await;
    let between = sign_up(&process).await;
    process.stop().await;
    // The generation is a time in seconds.
    until("the next second has begun", async || {
        (chrono::Utc::now().timestamp() > first).then_some(())
    })
    .await;

    std::fs::remove_file(scene.stage.file()).expect("the first file");
    scene.stage.prepare().await;
    scene.stage.restore().await;
    let finished = scene.stage.finish(&["--sell-missing"]).await;
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    let second = scene.stage.world.number("select generation from restore").await;
    assert!(second > first, "{second} {first}");
    let process = scene.stage.world.start().await;
    let new = sign_up(&process).await;
    assert!(new.user > between.user, "{} {}", new.user, between.user);
    let between = between.at(process.addr);
    between.get("/v1/users/me").await.refused(401, "unauthenticated");
    assert_eq!(new.get("/v1/users/me").await.ok(200)["id"], new.user);
}

/// Seats that were blocked since the backup, by an administrator or by an earlier `finish`.
#[tokio::test]
async fn seats_that_were_blocked_since_the_backup_stay_blocked() {
    let mut scene = Scene::set().await;
    scene.stage.prepare().await;
    scene.stage.restore().await;
    let first = scene.stage.finish(&["--block-missing"]).await;
    assert_eq!(first.code, Some(0), "{}", first.errors);
    let blocked = "select count(*) from seat where blocked";
    let lost = scene.stage.world.number(blocked).await;
    assert!(lost > 0, "sales were lost");
    // As an administrator does; Redis is rebuilt with it.
    let block = "update seat set blocked = true, fence = fence + 1 where id =
                 (select max(id) from seat where not blocked and status = 'AVAILABLE')";
    sqlx::query(block).execute(&scene.stage.world.pool).await.expect("a blocked seat");
    let process = scene.stage.world.start().await;
    // Joins are possible once Redis is rebuilt.
    sign_up(&process).await.join_with_retries(scene.sale.schedule).await;
    scene.stage.world.wait_for_empty_outbox().await;
    process.stop().await;

    std::fs::remove_file(scene.stage.file()).expect("the first file");
    scene.stage.prepare().await;
    scene.stage.restore().await;
    let (code, differences) = scene.stage.compare().await;
    assert_eq!(code, Some(3));
    let listed = differences["schedules"][0]["blocked_only_in_redis"].as_array().unwrap().len();
    assert_eq!(i64::try_from(listed).unwrap(), lost + 1, "{differences}");
    // No sale was lost this time, so nothing has to be chosen.
    let second = scene.stage.finish(&[]).await;
    assert_eq!(second.code, Some(0), "{}", second.errors);
    assert_eq!(scene.stage.world.number(blocked).await, lost + 1);
}
