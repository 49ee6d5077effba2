//! The settings of a sale are stated once (`concert::sale_settings`); everything else agrees with
//! it.

use std::path::Path;

use onsale::concert::sale_settings::{NUMERIC_SETTINGS, NumericSetting};
use onsale::web::lang::Lang;

use crate::support::world::World;

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// A number as the documents write it: `86,400`.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[tokio::test]
async fn sql_has_the_defaults_and_bounds_of_every_setting() {
    let world = World::new().await;
    for NumericSetting { name, default, min, max, .. } in NUMERIC_SETTINGS {
        let column: String = sqlx::query_scalar(
            "select column_default from information_schema.columns
             where table_name = 'concert_schedule' and column_name = $1",
        )
        .bind(name)
        .fetch_one(&world.pool)
        .await
        .expect(name);
        assert_eq!(column, default.to_string(), "{name}");
        let check: String = sqlx::query_scalar(
            "select pg_get_constraintdef(oid) from pg_constraint
             where conrelid = 'concert_schedule'::regclass and conname = $1",
        )
        .bind(format!("concert_schedule_{name}_check"))
        .fetch_one(&world.pool)
        .await
        .expect(name);
        assert_eq!(check, format!("CHECK ((({name} >= {min}) AND ({name} <= {max})))"));
    }
}

#[tokio::test]
async fn the_api_description_has_the_bounds_of_every_setting() {
    let world = World::new().await;
    let process = world.start().await;
    let api = process.anonymous().get("/openapi.json").await.ok(200);
    let fields = &api["components"]["schemas"]["QueueChange"]["properties"];
    for NumericSetting { name, default, min, max, .. } in NUMERIC_SETTINGS {
        let field = &fields[name];
        // Without a minimum the type's own is meant: unsigned.
        assert_eq!(field["minimum"].as_u64().unwrap_or(0), u64::from(min), "{name}: {field}");
        assert_eq!(field["maximum"].as_u64(), Some(u64::from(max)), "{name}: {field}");
        let text = field["description"].as_str().expect(name);
        assert!(text.contains(&format!("New schedules: {default}.")), "{name}: {text}");
    }
}

#[test]
fn the_console_and_the_documents_have_every_setting() {
    let (console, api) = (file("web/js/admin/queue-fields.js"), file("docs/API.md"));
    let console = console.replace('_', "");
    for NumericSetting { name, unit, default, min, max, .. } in NUMERIC_SETTINGS {
        let field = format!(
            "{{ name: '{}', min: {min}, max: {max}, usual: {default}, unit: '{unit}' }}",
            name.replace('_', "")
        );
        assert!(console.contains(&field), "queue-fields.js lacks {field}");
        let row =
            format!("| `{name}` | {} | {} to {} |", grouped(default), grouped(min), grouped(max));
        assert!(api.contains(&row), "docs/API.md lacks {row}");
    }
}

#[test]
fn every_language_has_the_texts_of_every_setting_and_of_its_unit() {
    for lang in Lang::ALL {
        let path = format!("web/lang/{}/admin.json", lang.tag());
        let texts: serde_json::Value = serde_json::from_str(&file(&path)).expect(&path);
        for NumericSetting { name, unit, .. } in NUMERIC_SETTINGS {
            let keys = [
                format!("admin.setting.{name}"),
                format!("admin.setting.{name}.does"),
                format!("admin.unit.{unit}"),
                format!("admin.unit.{unit}.of.other"),
            ];
            for key in keys {
                assert!(texts[&key].is_string(), "{path} lacks {key}");
            }
        }
    }
}
