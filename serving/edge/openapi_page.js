"use strict";
const api = JSON.parse(document.getElementById("openapi").textContent);
const make = (tag, text, parent, kind) => {
  const element = document.createElement(tag);
  // Words between backticks are code, as in the source.
  String(text ?? "").split("`").forEach((part, number) => {
    if (number % 2) element.append(Object.assign(document.createElement("code"), { textContent: part }));
    else element.append(part);
  });
  if (kind) element.className = kind;
  if (parent) parent.append(element);
  return element;
};
const plain = (tag, text, parent) => parent.appendChild(Object.assign(document.createElement(tag), { textContent: text }));
const pretty = value => JSON.stringify(value, null, 2);
const resolve = given => (given && given.$ref ? given.$ref.slice(2).split("/").reduce((part, name) => part[name], api) : given || {});
const bodyOf = message => Object.entries(resolve(message).content || {})[0] || [];

function kind(given) {
  const schema = resolve(given);
  if (schema.anyOf) return schema.anyOf.map(kind).join(" or ");
  if (schema.enum) return schema.enum.map(word => JSON.stringify(word)).join(", ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return "list of " + kind(schema.items);
  if (schema.additionalProperties && schema.additionalProperties !== true) return "map of " + kind(schema.additionalProperties);
  const bounds = [["minimum", "≥"], ["maximum", "≤"], ["minLength", "characters ≥"], ["maxLength", "characters ≤"], ["maxItems", "items ≤"]];
  const told = bounds.filter(([name]) => schema[name] !== undefined).map(([name, sign]) => `${sign} ${schema[name]}`);
  return [schema.format || schema.title || schema.type || "anything", ...told].join(", ");
}
/** The schemas below this one that have fields of their own. */
function inner(given) {
  const schema = resolve(given);
  const parts = [...(schema.anyOf || []), schema.items, schema.additionalProperties].filter(part => part && part !== true);
  return schema.properties ? [schema] : parts.flatMap(inner);
}
function fields(parent, given, shown = new Set()) {
  for (const schema of inner(given)) {
    if (shown.has(schema.title)) continue;
    shown.add(schema.title);
    make("h3", schema.title, parent);
    make("p", schema.description, parent, "quiet");
    const table = make("table", "", parent);
    for (const [name, field] of Object.entries(schema.properties)) {
      const row = make("tr", "", table);
      plain("code", name, make("td", "", row));
      plain("td", (schema.required || []).includes(name) ? "always" : "optional", row);
      plain("td", kind(field), row);
      make("td", resolve(field).properties ? "" : field.description, row);
    }
    Object.values(schema.properties).forEach(field => fields(parent, field, shown));
  }
}
async function send(method, path, body, output) {
  const headers = {};
  const key = document.getElementById("key").value;
  if (key) headers.Authorization = "Bearer " + key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const started = performance.now();
  try {
    const reply = await fetch(path, { method, headers, body });
    const text = await reply.text();
    let shown = text;
    try { shown = pretty(JSON.parse(text)); } catch { /* not JSON: shown as it is */ }
    output.textContent = `${reply.status} in ${Math.round(performance.now() - started)} ms\n${shown}`;
  } catch (error) { output.textContent = String(error); }
}
function curl(method, path, body, secured) {
  const quoted = text => "'" + text.replaceAll("'", "'\\''") + "'";
  const key = secured ? " -H 'Authorization: Bearer KEY'" : "";
  // Only `--json` makes a POST of it.
  const data = body === undefined ? "" : " --json " + quoted(JSON.stringify(body));
  return `curl${key} ${quoted(location.origin + path)}${data}` + (method === "POST" && body === undefined ? " -X POST" : "");
}
function show(path, method, operation, parent) {
  const details = make("details", "", parent);
  details.id = operation.operationId;
  const summary = make("summary", "", details);
  make("b", method, summary, "method");
  plain("code", path, summary);
  make("span", "  " + (operation.summary || ""), summary, "quiet");
  const inside = make("div", "", details);
  make("p", operation.description, inside);
  if (operation.security) make("p", "Needs an API key of role admin: `Authorization: Bearer KEY` or `X-API-Key: KEY`.", inside);
  const inputs = (operation.parameters || []).map(parameter => {
    const label = make("label", `\`${parameter.name}\` `, inside);
    const input = make("input", "", label);
    input.value = parameter.schema.default ?? Object.values(parameter.examples || {})[0]?.value ?? "";
    make("span", " " + (parameter.description || ""), label, "quiet");
    return { parameter, input };
  });
  const target = () => {
    let filled = path;
    const query = new URLSearchParams();
    for (const { parameter, input } of inputs) {
      if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value !== "") query.set(parameter.name, input.value);
    }
    return filled + (query.size ? "?" + query : "");
  };
  const request = bodyOf(operation.requestBody)[1];
  const examples = request ? resolve(request.schema).examples || [{}] : [];
  let area;
  if (request) {
    make("h3", "Try it", inside);
    if (examples.length > 1) {
      const choice = make("select", "", make("label", "Example ", inside));
      examples.forEach((_, number) => { plain("option", String(number + 1), choice).value = number; });
      choice.onchange = () => { area.value = pretty(examples[choice.value]); };
    }
    area = make("textarea", "", inside);
    area.setAttribute("aria-label", "Body");
    area.value = pretty(examples[0]);
  }
  const button = make("button", "Send", inside);
  const output = plain("pre", "", inside);
  output.hidden = true;
  button.onclick = () => { output.hidden = false; send(method, target(), area ? area.value : undefined, output); };
  plain("pre", curl(method, target(), examples[0], operation.security), inside);
  if (request) fields(inside, request.schema);
  for (const [status, reply] of Object.entries(operation.responses)) {
    const [type, content] = bodyOf(reply);
    make("h3", `${status === "default" ? "Other" : status}: ${resolve(reply).description}`, inside);
    const headers = Object.entries(resolve(reply).headers || {});
    headers.forEach(([name, header]) => make("div", `\`${name}\`: ${header.description || ""}`, inside, "quiet"));
    const example = content && (content.example ?? resolve(content.schema).examples?.[0]);
    if (example && (status < "400" || status === "default")) plain("pre", content.example ?? pretty(example), inside);
    if (content && type === "application/json") fields(inside, content.schema);
  }
}
document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
api.info.description.split("\n\n").forEach(part => make("p", part, document.getElementById("about")));
const main = document.querySelector("main");
main.replaceChildren();
for (const tag of api.tags) {
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([, operation]) => (operation.tags || []).includes(tag.name)).map(([method, operation]) => [path, method, operation]));
  if (!operations.length) continue;
  const link = plain("a", tag.name, make("li", "", document.getElementById("groups")));
  link.href = "#" + tag.name;
  make("h2", tag.name, main).id = tag.name;
  make("p", tag.description, main, "quiet");
  operations.forEach(([path, method, operation]) => show(path, method.toUpperCase(), operation, main));
}
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
