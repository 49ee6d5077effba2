use super::*;

fn text(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

fn range(first: i64, last: i64, nodes: &[(&str, i64)]) -> Value {
    let node = |(host, port): &(&str, i64)| {
        Value::Array(vec![text(host), Value::Int(*port), text("id"), Value::Array(Vec::new())])
    };
    let ends = [Value::Int(first), Value::Int(last)];
    Value::Array(ends.into_iter().chain(nodes.iter().map(node)).collect())
}

#[test]
fn a_map_has_the_primary_of_each_assigned_slot_and_no_other() {
    let info = "cluster_state:ok\r\ncluster_current_epoch:7\r\n";
    let slots = Value::Array(vec![
        range(100, 200, &[("b", 2), ("c", 3)]),
        range(0, 50, &[("", 1)]),
        range(201, 201, &[("c", 3)]),
    ]);
    let map = Map::parse(info, &slots, "source:9");
    assert_eq!((map.serves, map.epoch), (true, 7));
    let owners = [(0, Some("source:1")), (50, Some("source:1")), (51, None), (100, Some("b:2"))];
    let more = [(200, Some("b:2")), (201, Some("c:3")), (202, None)];
    for (slot, owner) in owners.into_iter().chain(more) {
        assert_eq!(map.owner(slot), owner, "{slot}");
    }
    assert_eq!(map.nodes, ["b:2", "c:3", "source:1"]);
}

#[test]
fn the_map_of_a_node_that_serves_wins_over_one_that_does_not() {
    let empty = Value::Array(Vec::new());
    let of = |state, epoch| {
        let info = format!("cluster_state:{state}\ncluster_current_epoch:{epoch}\n");
        Map::parse(&info, &empty, "a:1")
    };
    let all = [of("ok", 3), of("fail", 9), of("ok", 5)];
    let best = all.into_iter().max_by_key(|map| (map.serves, map.epoch)).unwrap();
    assert_eq!((best.serves, best.epoch), (true, 5));
}

#[test]
fn an_address_without_a_host_is_at_the_host_of_its_source() {
    let of_source = "10.0.0.1:7000";
    for (address, expected) in [(":7000", of_source), ("?:7000", of_source), ("b:1", "b:1")] {
        assert_eq!(with_host(address, "10.0.0.1:6379"), expected);
    }
}
