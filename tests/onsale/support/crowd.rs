//! Many people at once.

use std::net::SocketAddr;

use onsale::caller::Role;
use onsale::user::service::create_many;

use super::client::{Answer, Client};
use super::world::{World, token};

/// So many new users with points, spread over processes.
pub async fn people(world: &World, at: &[SocketAddr], count: u32, points: i64) -> Vec<Client> {
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
    let somebody = Client::new(at[0]);
    let person = |(number, user): (usize, &i64)| {
        let mut person = somebody.at(at[number % at.len()]);
        (person.user, person.token) = (*user, Some(token(*user, Role::User)));
        person
    };
    ids.iter().enumerate().map(person).collect()
}

/// Has everybody do something at once; what came of it, in their order.
pub async fn all<P, T, F>(people: impl IntoIterator<Item = P>, act: impl Fn(P) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = people.into_iter().map(|person| tokio::spawn(act(person))).collect();
    let mut done = Vec::with_capacity(tasks.len());
    for task in tasks {
        done.push(task.await.expect("no panic"));
    }
    done
}

/// Has everybody join at once; all of them, with their tickets.
pub async fn join(people: Vec<Client>, schedule: i64) -> Vec<Client> {
    all(people, move |mut person: Client| async move {
        person.join(schedule).await.ok(201);
        person
    })
    .await
}

/// Has everybody join one after the other; all of them, with their tickets.
pub async fn join_in_turn(people: Vec<Client>, schedule: i64) -> Vec<Client> {
    let mut joined = Vec::new();
    for mut person in people {
        person.join(schedule).await.ok(201);
        joined.push(person);
    }
    joined
}

/// How many answers have a status.
pub fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}
