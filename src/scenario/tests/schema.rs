//! What is made of the structs of a format besides its reader: the JSON Schema and the reference.

use super::super::examples::Examples;
use super::super::reference::markdown;
use super::super::shape::schema_for;
use super::File;

#[test]
fn the_schema_is_for_editors_too() {
    let schema = schema_for::<File>();
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema["$defs"]["Arrivals"]).unwrap(), @r#"
{
  "oneOf": [
    {
      "description": "At random.",
      "type": "object",
      "properties": {
        "kind": {
          "type": "string",
          "const": "poisson"
        },
        "rate": {
          "type": "string",
          "format": "rate",
          "title": "a rate",
          "examples": [
            "800/s",
            "1.5k/s",
            "30/min"
          ],
          "description": "How many."
        },
        "cv": {
          "type": [
            "number",
            "null"
          ],
          "format": "double",
          "description": "How scattered.",
          "default": null,
          "exclusiveMinimum": 0
        }
      },
      "required": [
        "kind",
        "rate"
      ],
      "additionalProperties": false
    },
    {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "kind": {
          "type": "string",
          "const": "fixed"
        },
        "gap": {
          "type": "string",
          "format": "duration",
          "title": "a time",
          "examples": [
            "10ms",
            "1.5s",
            "5min"
          ],
          "description": "From one to the next."
        }
      },
      "required": [
        "kind",
        "gap"
      ],
      "description": "At equal distances."
    }
  ],
  "description": "When requests come."
}
"#);
    insta::assert_snapshot!(schema["$defs"]["Rule"]["oneOf"][2].to_string(), @r#"{"description":"A kind that needs no keys may be written as its name.","type":"string","enum":["round-robin","power-of-d"]}"#);
}

#[test]
fn the_reference() {
    insta::assert_snapshot!(markdown(&schema_for::<File>(), &Examples::default()), @r#"
## The file

What is simulated.

| key | type | default | meaning |
|---|---|---|---|
| `question` | a string | **required** | What the scenario asks. |
| `run` | [Run](#run) | **required** | How it is run. |
| `clients` | array of [Client](#client) | — | Who sends requests. |
| `weights` | table of names, each with a number | `{}` | Shares by name. |
| `tags` | [Tags](#tags) | — | A name or a list of names. |
| `colour` | [Colour](#colour) | — | What to paint it in. |
| `pair` | [a whole number, 0 to 255; a string] | — | A pair. |

## Run

| key | type | default | meaning |
|---|---|---|---|
| `duration` | a time such as "10ms" | **required** | How long. |
| `replications` | a whole number, 1 to 1000 | `20` | How often. |
| `compare` | array (at least 1) of [Rule](#rule) | — | The rules to compare. |

## Client

| key | type | default | meaning |
|---|---|---|---|
| `name` | a string | **required** | What it is called. |
| `arrivals` | [Arrivals](#arrivals) | **required** | When its requests come. |

## Tags

- a string
- array of strings

## Colour

| value | meaning |
|---|---|
| `"red"` | As blood. |
| `"dark-green"` | As a fir. |

## Rule

Which server is taken.

### `kind = "round-robin"`

In turn.

May be written as `"round-robin"` alone.

### `kind = "power-of-d"`

The best of a few.

May be written as `"power-of-d"` alone.

| key | type | default | meaning |
|---|---|---|---|
| `d` | a whole number, 0 to 255 | `0` | How many. |

## Arrivals

When requests come.

### `kind = "poisson"`

At random.

| key | type | default | meaning |
|---|---|---|---|
| `rate` | a rate such as "800/s" | **required** | How many. |
| `cv` | a number, more than 0 | — | How scattered. |

### `kind = "fixed"`

At equal distances.

| key | type | default | meaning |
|---|---|---|---|
| `gap` | a time such as "10ms" | **required** | From one to the next. |
"#);
}
