// Writes the TypeScript types of the schemas in an OpenAPI description: what the pages exchange with the API.
//
// usage: node tests/clients/schemas.mjs DESCRIPTION >web/js/onsale/schemas.d.ts

import { readFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import { format, resolveConfig } from 'prettier';

const [file = ''] = process.argv.slice(2);
const description = JSON.parse(await readFile(file, 'utf8'));
const { openapi, info, components } = description;
const options = { rootTypes: true, rootTypesNoSchemaPrefix: true, rootTypesKeepCasing: true, emptyObjectsUnknown: true };
const types = astToString(await openapiTS({ openapi, info, paths: {}, components: { schemas: components.schemas } }, options));
const head = '// Generated from /openapi.json by `make types`: do not change it by hand.\n\n';
const style = await resolveConfig(new URL(import.meta.url));
process.stdout.write(await format(head + types, { ...style, parser: 'typescript' }));
