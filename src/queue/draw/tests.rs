use super::*;

fn ids(count: u128) -> Vec<Uuid> {
    (0..count).map(|n| Uuid::new_v5(&Uuid::NAMESPACE_URL, &n.to_be_bytes())).collect()
}

/// Computed with openssl, as in docs/DRAW.md.
#[test]
fn the_same_secret_and_list_give_this_order_on_any_machine() {
    let secret: Vec<u8> = (0..32).collect();
    let tickets = [
        "00000000-0000-5000-8000-000000000001",
        "00000000-0000-5000-8000-000000000002",
        "00000000-0000-5000-8000-000000000003",
        "00000000-0000-5000-8000-000000000004",
        "00000000-0000-5000-8000-000000000005",
    ];
    let tickets: Vec<Uuid> = tickets.iter().map(|id| id.parse().unwrap()).collect();
    assert_eq!(order(&secret, &tickets), VECTOR);
    assert_eq!(
        hex::encode(commitment(&secret)),
        "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
    );
}
const VECTOR: [u32; 5] = [0, 4, 1, 2, 3];

#[test]
fn the_order_does_not_depend_on_the_order_of_the_list() {
    let tickets = ids(1000);
    let drawn = |tickets: &[Uuid]| -> Vec<Uuid> {
        order(b"secret", tickets).iter().map(|index| tickets[*index as usize]).collect()
    };
    let mut reversed = tickets.clone();
    reversed.reverse();
    assert_eq!(drawn(&tickets), drawn(&reversed));
    assert_ne!(drawn(&tickets), tickets);
    assert_eq!(order(b"secret", &[]), [0u32; 0]);
}

#[test]
fn a_list_that_is_added_in_parts_has_the_same_order() {
    let tickets = ids(1000);
    let mut digests = Digests::new(b"secret");
    for part in tickets.chunks(300) {
        digests.add(part);
    }
    assert_eq!(digests.order(), order(b"secret", &tickets));
}

/// Chi-squared tests of the first rank, and of the tenth of ranks, by the tenth of joining. The
/// secrets are fixed: the test cannot fail by chance, and a biased order would not pass.
#[test]
fn a_drawn_rank_does_not_depend_on_the_time_of_joining() {
    let (tickets, draws) = (ids(1000), 1000u64);
    let mut tenths = [[0u32; 10]; 10];
    let mut first = [0u32; 10];
    for draw in 0..draws {
        let order = order(&draw.to_be_bytes(), &tickets);
        for (rank, joined) in order.iter().enumerate() {
            tenths[*joined as usize / 100][rank / 100] += 1;
        }
        first[order[0] as usize / 100] += 1;
    }
    let chi_squared = |counts: &[u32]| -> f64 {
        let expected = f64::from(counts.iter().sum::<u32>()) / 10.0;
        counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
    };
    // Nine degrees of freedom: above 27.9 once in a thousand. There are eleven tests.
    for counts in tenths.iter().chain([&first]) {
        assert!(chi_squared(counts) < 33.0, "{counts:?}");
    }
    // Negative control: a small bias towards the order of joining is far above.
    assert!(chi_squared(&[110, 108, 104, 102, 100, 100, 98, 96, 92, 90].map(|n| n * 100)) > 33.0);
}

#[test]
fn drawn_ranks_are_found_in_both_directions() {
    let base = Sequence((2 << 40) + 10);
    let joined = [(1 << 40) + 4, (1 << 40) + 9, (2 << 40) + 3].map(Sequence);
    let entrants: Vec<_> = joined.into_iter().zip([3, 1, 2]).collect();
    let ranks = DrawnRanks::new(base, &entrants).unwrap();
    for (sequence, rank) in entrants {
        let drawn = Sequence(base.0 + u64::from(rank));
        assert_eq!(ranks.drawn(sequence), Some(drawn));
        assert_eq!(ranks.joined(drawn), sequence);
        assert_eq!(ranks.joined(sequence), sequence);
    }
    let late = Sequence(base.0 + 4);
    assert_eq!((ranks.drawn(late), ranks.joined(late)), (None, late));
    assert_eq!(ranks.drawn(Sequence((1 << 40) + 5)), None);
    for broken in [[1, 1, 2], [0, 1, 2], [1, 2, 4]] {
        let entrants: Vec<_> = joined.into_iter().zip(broken).collect();
        assert_eq!(DrawnRanks::new(base, &entrants), None);
    }
}
