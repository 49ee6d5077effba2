#!/usr/bin/env python3
"""Holds an OpenAPI description to the specification, and every example in it to its schema.

usage: check.py openapi.json
"""

import json
import sys

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = "urn:onsale:openapi"


def contents(operation):
    """Every content of an operation, with where it is."""
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {kind}", content
    for status, response in operation["responses"].items():
        for kind, content in response.get("content", {}).items():
            yield f"{status} {kind}", content


def examples(content):
    if "example" in content:
        yield content["example"]
    for example in content.get("examples", {}).values():
        yield example["value"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        api = json.load(file)
    errors = [f"specification: {error.message[:300]}" for error in OpenAPIV31SpecValidator(api).iter_errors()]
    resource = Resource.from_contents(api, default_specification=DRAFT202012)
    registry = Registry().with_resource(ROOT, resource)

    def absolute(schema):
        """The schema with its references made absolute."""
        if isinstance(schema, dict):
            return {name: ROOT + value if name == "$ref" else absolute(value) for name, value in schema.items()}
        return [absolute(item) for item in schema] if isinstance(schema, list) else schema

    checked = 0
    for path, item in api["paths"].items():
        for method, operation in item.items():
            parts = list(contents(operation))
            parts += [(parameter["name"], parameter) for parameter in operation.get("parameters", [])]
            for place, content in parts:
                validator = Draft202012Validator(
                    absolute(content["schema"]), registry=registry, format_checker=FormatChecker()
                )
                for example in examples(content):
                    checked += 1
                    errors += [
                        f"{method} {path} {place}: {error.message[:300]}" for error in validator.iter_errors(example)
                    ]
    if checked < 100:
        errors.append(f"only {checked} examples were found")
    print("\n".join(errors) or f"the description is valid, and so are its {checked} examples")
    sys.exit(bool(errors))


main()
