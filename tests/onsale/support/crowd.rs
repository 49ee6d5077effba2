//! Many users at once.

use std::net::SocketAddr;

use onsale::caller::Role;
use onsale::user::service::create_many;
use tokio::time::sleep;

use super::client::{Answer, Client};
use super::world::{World, token};

/// Creates `count` users with `points` each, spread over the processes `at`.
pub async fn create_users(
    world: &World,
    at: &[SocketAddr],
    count: u32,
    points: i64,
) -> Vec<Client> {
    let made = create_many(&world.pg, count).await.expect("users");
    let ids: Vec<i64> = made.iter().map(|user| user.0).collect();
    if points > 0 {
        let give = "with given as (update point set amount = $2 where user_id = any($1)
                      returning user_id)
                    insert into point_history (user_id, kind, amount, balance_after, reference)
                    select user_id, 'CHARGE', $2, $2, 'a gift' from given";
        let give = sqlx::query(give).bind(&ids).bind(points).execute(&world.pool).await;
        assert_eq!(give.expect("points").rows_affected(), u64::from(count));
    }
    let anonymous = Client::new(at[0]);
    let client = |(number, user): (usize, &i64)| {
        let mut client = anonymous.at(at[number % at.len()]);
        (client.user, client.token) = (*user, Some(token(*user, Role::User)));
        client
    };
    ids.iter().enumerate().map(client).collect()
}

/// Runs `act` for each of `users` concurrently; returns the results in the order of the users.
pub async fn run_all<P, T, F>(users: impl IntoIterator<Item = P>, act: impl Fn(P) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = users.into_iter().map(|user| tokio::spawn(act(user))).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.expect("no panic"));
    }
    results
}

/// Joins as a user who has no queue entry. After a `503` it waits as long as `Retry-After` says and
/// joins again; only such a retry may find an entry (`200`).
async fn join_as_new(mut user: Client, schedule: i64) -> Client {
    let first = user.join(schedule).await;
    let Some(pause) = first.retry_after() else {
        first.ok(201);
        return user;
    };
    sleep(pause).await;
    let answer = user.join_with_retries(schedule).await;
    assert!([200, 201].contains(&answer.status), "{}", answer.text);
    user
}

/// All users join at once; returns them with their tickets.
pub async fn join_at_once(users: Vec<Client>, schedule: i64) -> Vec<Client> {
    run_all(users, move |user| join_as_new(user, schedule)).await
}

/// The users join one after the other; returns them with their tickets.
pub async fn join_in_order(users: Vec<Client>, schedule: i64) -> Vec<Client> {
    let mut joined = Vec::new();
    for user in users {
        joined.push(join_as_new(user, schedule).await);
    }
    joined
}

/// How many answers have a status.
pub fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}
