// Grafana's own code for display, asked by the tests: one JSON list of jobs in, one of answers out.
"use strict";

// A browser's: units of dates look for its language.
Object.defineProperty(globalThis, "navigator", { value: { language: "en-US", languages: ["en-US"] }, configurable: true });

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const installed = createRequire(`${process.argv[2]}/`);
const grafana = installed("@grafana/data");
const { lastValueFrom } = installed("rxjs");
const tinycolor = installed("tinycolor2");
const moment = installed("moment");
globalThis.window = globalThis; // transformations look whether they run in a scene; set before, others would look for a page

const THEMES = { light: grafana.createTheme({ colors: { mode: "light" } }), dark: grafana.createTheme({ colors: { mode: "dark" } }) };
const ZONE = "Asia/Shanghai";
const UNITS = new Set(grafana.getValueFormats().flatMap((category) => category.submenu.map((unit) => unit.value)));
const CUSTOM_UNIT = /^(prefix|suffix|time|si|count|currency|bool):.+/;

const transformers = new Map();
for (const one of Object.values(grafana.standardTransformers)) {
  transformers.set(one.id, one);
}
grafana.standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map((one) => ({ id: one.id, name: one.name, transformation: () => Promise.resolve(one) })),
);

// The standard options of a field; a panel's own ones (custom.…) are the schema's matter.
const STANDARD = {
  unit: grafana.unitOverrideProcessor,
  min: grafana.numberOverrideProcessor,
  max: grafana.numberOverrideProcessor,
  decimals: grafana.numberOverrideProcessor,
  displayName: grafana.displayNameOverrideProcessor,
  noValue: grafana.stringOverrideProcessor,
  color: grafana.identityOverrideProcessor,
  thresholds: grafana.thresholdsOverrideProcessor,
  mappings: grafana.valueMappingsOverrideProcessor,
  links: grafana.dataLinksOverrideProcessor,
  filterable: grafana.booleanOverrideProcessor,
};
const OTHER_STANDARD = new Set(["description", "actions", "fieldMinMax"]);
const registry = new grafana.FieldConfigOptionsRegistry(() =>
  Object.entries(STANDARD).map(([id, process]) => ({ id, path: id, name: id, process, shouldApply: () => true })),
);

/** What Grafana makes of a panel's field options when it loads them: JSON cannot say where the first threshold begins. */
function loaded(fieldConfig) {
  const plugin = { defaults: {}, fieldConfigDefaults: { defaults: {}, overrides: [] }, fieldConfigRegistry: registry };
  const { fieldConfig: made } = grafana.getPanelOptionsWithDefaults({ plugin, currentFieldConfig: fieldConfig });
  return made;
}

function unitMistakes(unit, place) {
  return !unit || UNITS.has(unit) || CUSTOM_UNIT.test(unit) ? [] : [`${place}: Grafana has no unit ${unit}`];
}

function colourMistakes(colour, place) {
  if (!colour || colour === "transparent" || colour === "text") {
    return [];
  }
  return tinycolor(THEMES.light.visualization.getColorByName(colour)).isValid() ? [] : [`${place}: ${colour} is no colour`];
}

function optionMistakes(id, value, place) {
  switch (id) {
    case "unit":
      return unitMistakes(value, place);
    case "color":
      return [
        ...(grafana.fieldColorModeRegistry.getIfExists(value.mode) ? [] : [`${place}: no colour mode ${value.mode}`]),
        ...colourMistakes(value.fixedColor, place),
      ];
    case "thresholds":
      return thresholdMistakes(value, place);
    case "mappings":
      return value.flatMap((mapping) => mappingMistakes(mapping, place));
    default:
      return [];
  }
}

function thresholdMistakes({ steps }, place) {
  const values = steps.slice(1).map((step) => step.value);
  return [
    ...(steps[0].value === null ? [] : [`${place}: the first threshold must have no value`]),
    ...(values.every((value, n) => n === 0 || values[n - 1] < value) ? [] : [`${place}: thresholds do not ascend`]),
    ...steps.flatMap((step) => colourMistakes(step.color, place)),
  ];
}

function mappingMistakes(mapping, place) {
  if (!Object.values(grafana.MappingType).includes(mapping.type)) {
    return [`${place}: no mapping type ${mapping.type}`];
  }
  const results = mapping.type === "value" ? Object.values(mapping.options) : [mapping.options.result];
  return results.flatMap((result) => (result ? colourMistakes(result.color, place) : [`${place}: a mapping without result`]));
}

function reducers(options) {
  return [
    ...(options.reduceOptions?.calcs ?? []),
    ...(options.legend?.calcs ?? []),
    ...(options.footer?.reducer ?? []),
    ...(options.footer?.reducers ?? []),
  ];
}

/** What is wrong without any data: names that Grafana does not have. */
function nameMistakes({ fieldConfig = { defaults: {}, overrides: [] }, options = {}, transformations = [] }) {
  const { defaults = {}, overrides = [] } = fieldConfig;
  return [
    ...Object.entries(defaults).flatMap(([id, value]) => [
      ...(id in STANDARD || OTHER_STANDARD.has(id) || id === "custom" ? [] : [`defaults: no option ${id}`]),
      ...optionMistakes(id, value, "defaults"),
    ]),
    ...overrides.flatMap(({ matcher, properties }) => [
      ...(grafana.fieldMatchers.getIfExists(matcher.id) ? [] : [`no matcher ${matcher.id}`]),
      ...properties.flatMap(({ id, value }) => [
        ...(id in STANDARD || OTHER_STANDARD.has(id) || id.startsWith("custom.") ? [] : [`override: no option ${id}`]),
        ...optionMistakes(id, value, `override of ${JSON.stringify(matcher.options)}`),
      ]),
    ]),
    ...reducers(options)
      .filter((id) => !grafana.fieldReducers.getIfExists(id))
      .map((id) => `no reducer ${id}`),
    ...transformations.flatMap(({ id, options: given = {} }) => transformationMistakes(id, given)),
  ];
}

const ORGANIZE = ["excludeByName", "indexByName", "renameByName", "includeByName", "orderByMode", "orderBy"];

function transformationMistakes(id, given) {
  if (!transformers.has(id)) {
    return [`no transformation ${id}`];
  }
  const known = id === "organize" ? ORGANIZE : Object.keys(transformers.get(id).defaultOptions ?? {});
  const reductions = [
    ...(given.reducers ?? []),
    ...(id === "groupBy" ? Object.values(given.fields ?? {}).flatMap((field) => field.aggregations ?? []) : []),
  ];
  return [
    ...(known.length ? Object.keys(given).filter((key) => !known.includes(key)) : []).map((key) => `${id} has no option ${key}`),
    ...reductions.filter((one) => !grafana.fieldReducers.getIfExists(one)).map((one) => `no reducer ${one}`),
  ];
}

/** Names of fields that a transformation speaks of. */
function namesIn({ id, options = {} }) {
  switch (id) {
    case "organize":
      return ["excludeByName", "includeByName", "renameByName"].flatMap((key) => Object.keys(options[key] ?? {}));
    case "groupBy":
      return Object.keys(options.fields ?? {});
    case "sortBy":
      return (options.sort ?? []).map((sort) => sort.field);
    case "filterFieldsByName":
      return options.include?.names ?? [];
    default:
      return [];
  }
}

function fieldNames(frames) {
  return new Set(frames.flatMap((frame) => frame.fields.flatMap((field) => [field.name, grafana.getFieldDisplayName(field, frame, frames)])));
}

async function transformed(panel, frames, mistakes) {
  for (const step of panel.transformations ?? []) {
    const names = fieldNames(frames);
    mistakes.push(
      ...namesIn(step)
        .filter((name) => !names.has(name))
        .map((name) => `${step.id} speaks of ${name}, there are ${[...names].sort().join(", ")}`),
    );
    frames = await lastValueFrom(grafana.transformDataFrame([step], frames));
  }
  return frames;
}

function unmatched(overrides, frames) {
  return overrides
    .filter(({ matcher }) => {
      const matches = grafana.getFieldMatcher(matcher);
      return !frames.some((frame) => frame.fields.some((field) => matches(field, frame, frames)));
    })
    .map(({ matcher }) => `no field is matched by ${matcher.id} ${JSON.stringify(matcher.options)}`);
}

/** The frames as the panel has them after its transformations and field options; complaints go to `mistakes`. */
async function prepared({ panel, frames, theme = "light" }, mistakes) {
  const fieldConfig = loaded(panel.fieldConfig ?? { defaults: {}, overrides: [] });
  const made = await transformed(panel, frames.map((frame) => grafana.toDataFrame(frame)), mistakes);
  mistakes.push(...unmatched(fieldConfig.overrides, made));
  const data = grafana.applyFieldOverrides({
    data: made,
    fieldConfig,
    fieldConfigRegistry: registry,
    replaceVariables: (text) => text,
    theme: THEMES[theme],
    timeZone: ZONE,
  });
  return { data, fieldConfig };
}

/** What a panel shows of these frames: each field's newest value, and the single values of a stat or gauge. */
async function show(job) {
  const mistakes = nameMistakes(job.panel);
  if (mistakes.length) {
    return { mistakes, fields: [], values: [], ways: [] };
  }
  const { data, fieldConfig } = await prepared(job, mistakes);
  mistakes.push(...deadLinks(data));
  const fields = data.flatMap((frame) =>
    frame.fields.map((field) => ({
      name: grafana.getFieldDisplayName(field, frame, data),
      type: field.type,
      rows: field.values.length,
      newest: shown(field.display(field.values[field.values.length - 1])),
    })),
  );
  return { mistakes, fields, values: singleValues(job.panel, data, fieldConfig, job.theme), ways: ways(data) };
}

/** All that is needed to draw a panel: every value, in tables and timelines with its text and colour. */
async function draw(job) {
  moment.now = () => job.now;
  const { data, fieldConfig } = await prepared(job, []);
  const inWords = job.panel.type !== "timeseries";
  const frames = data.map((frame) => ({
    refId: frame.refId,
    fields: frame.fields.map((field) => ({
      name: grafana.getFieldDisplayName(field, frame, data),
      type: field.type,
      values: field.values,
      color: grafana.getFieldSeriesColor(field, THEMES[job.theme]).color,
      example: shown(field.display(12.5)).text,
      shown: inWords ? field.values.map((value) => shown(field.display(value))) : [],
    })),
  }));
  return { frames, values: singleValues(job.panel, data, fieldConfig, job.theme) };
}

const CELL = /\$\{__data\.fields\.([^}]+)\}/g;

function linksIn(frame) {
  return frame.fields.flatMap((field) => (field.config.links ?? []).map((link) => link.url));
}

/** Links that name a field of their row must find it. */
function deadLinks(data) {
  const dead = data.flatMap((frame) => {
    const row = grafana.getFieldDisplayValuesProxy({ frame, rowIndex: 0, timeZone: ZONE });
    const names = linksIn(frame).flatMap((url) => [...url.matchAll(CELL)].map((found) => found[1]));
    return names.filter((name) => row[name] === undefined);
  });
  return [...new Set(dead)].map((name) => `a link names the field ${name}, which its row does not have`);
}

/** The dashboards that the links of all rows lead to. */
function ways(data) {
  const found = data.flatMap((frame) => {
    const paths = linksIn(frame).map((url) => url.split("?")[0]).filter((path) => path.startsWith("/d/"));
    return Array.from({ length: paths.length ? frame.length : 0 }, (_, rowIndex) => {
      const row = grafana.getFieldDisplayValuesProxy({ frame, rowIndex, timeZone: ZONE });
      return paths.map((path) => path.replace(CELL, (_, name) => String(row[name])));
    }).flat();
  });
  return [...new Set(found)];
}

function singleValues(panel, data, fieldConfig, theme = "light") {
  if (!panel.options?.reduceOptions) {
    return [];
  }
  const values = grafana.getFieldDisplayValues({
    fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text) => text,
    theme: THEMES[theme],
    data,
    timeZone: ZONE,
  });
  return values.map(({ display }) => ({ title: display.title, ...shown(display) }));
}

function shown(display) {
  const color = display.color ? tinycolor(display.color).toHexString() : null;
  return { text: grafana.formattedValueToString(display), color, number: display.numeric };
}

const JOBS = {
  names: ({ panel }) => nameMistakes(panel),
  show,
  draw,
  colour: ({ name, theme = "light" }) => tinycolor(THEMES[theme].visualization.getColorByName(name)).toHexString(),
  escape: ({ text }) => grafana.escapeRegex(text),
  interval: ({ from, to, points, least }) =>
    grafana.rangeUtil.calculateInterval({ from: grafana.dateTime(from), to: grafana.dateTime(to) }, points, least),
};

async function main() {
  const answers = [];
  for (const job of JSON.parse(readFileSync(0, "utf8"))) {
    answers.push(await JOBS[job.do](job));
  }
  process.stdout.write(JSON.stringify(answers));
}

main();
