// Select menus, single and multi, of given options, external ones, people, channels and conversations.

import { append, debounce, el, fill } from "./dom.js";
import { plainEmoji } from "./emoji.js";
import { icon } from "./icons.js";
import { post } from "./api.js";
import { closePopover, openPopover, popoverOf } from "./layer.js";
import { textNodes } from "./mrkdwn.js";
import { avatar } from "./chips.js";
import { channelTitle, sortedChannels, state } from "./state.js";
import { choose, standing } from "./choices.js";

const optionText = (option) => plainEmoji(option?.text?.text ?? "");

const person = (user) => ({ value: user.id, text: { type: "plain_text", text: user.real_name || user.name }, user: user.id });
const room = (channel) => ({ value: channel.id, text: { type: "plain_text", text: channel.type === "im" ? channelTitle(channel) : `#${channelTitle(channel)}` } });

const people = () => [...state.users.values()].map(person);
const rooms = () => sortedChannels("channel").map(room);

function conversations(element) {
  const filter = element.filter || {};
  const wants = filter.include || ["public", "private", "im", "mpim"];
  const direct = wants.includes("im") ? sortedChannels("im").filter((one) => !filter.exclude_bot_users || one.user !== state.app.bot_user_id) : [];
  return [...(wants.includes("public") || wants.includes("private") ? rooms() : []), ...direct.map(room)];
}

/** Where a kind of select finds its options and how its value is written down. */
const KINDS = {
  static: { list: (element) => element.option_groups || element.options || [], one: "selected_option", many: "selected_options", initial: ["initial_option", "initial_options"], whole: true },
  external: { list: () => [], one: "selected_option", many: "selected_options", initial: ["initial_option", "initial_options"], whole: true, external: true },
  users: { list: people, one: "selected_user", many: "selected_users", initial: ["initial_user", "initial_users"] },
  channels: { list: rooms, one: "selected_channel", many: "selected_channels", initial: ["initial_channel", "initial_channels"] },
  conversations: { list: conversations, one: "selected_conversation", many: "selected_conversations", initial: ["initial_conversation", "initial_conversations"] },
};

function select(kindName, many) {
  const kind = KINDS[kindName];
  return (element, place) => {
    const given = element[kind.initial[many ? 1 : 0]] ?? (many ? [] : defaultOf(element, place, kindName));
    const field = many ? kind.many : kind.one;
    let value = standing(element, place, { type: element.type, [field]: given });
    const chosen = () => [value[field] ?? []].flat().map((one) => (kind.whole ? one : byValue(kind.list(element), one)));
    const node = el("button.select", { type: "button", "aria-haspopup": "listbox", "aria-expanded": "false", class: many ? "is-many" : "" });
    node.dataset.action = element.action_id || "";
    node.dataset.press = place.surface.pressMark(place.blockId, element.action_id);
    const draw = () => drawFace(node, element, chosen(), place);
    const settle = (options) => {
      const before = value;
      value = { ...value, [field]: written(options, kind, many) };
      draw();
      choose(element, place, value, node, () => { value = before; draw(); });
    };
    node.addEventListener("click", () => (popoverOf(node) ? closePopover() : openOptions(node, { element, place, kind, many, chosen, settle })));
    draw();
    return node;
  };
}

const byValue = (options, value) => options.find((option) => option.value === value) || { value, text: { type: "plain_text", text: value } };
const defaultOf = (element, place, kindName) =>
  kindName === "conversations" && element.default_to_current_conversation && state.place.channel ? state.place.channel : null;

function written(options, kind, many) {
  const values = kind.whole ? options : options.map((option) => option.value);
  return many ? values : (values[0] ?? null);
}

function drawFace(node, element, options, place) {
  const label = options.length
    ? options.map((option) => el("span", { class: node.classList.contains("is-many") ? "token" : "" }, optionText(option)))
    : el("span.placeholder", {}, plainEmoji(element.placeholder?.text) || "Choose an option");
  fill(node, el("span.select-value", {}, label), icon("down", { class: "icon chevron" }), el("span.spinner", { "aria-hidden": "true" }));
  const named = options.map(optionText).join(", ") || "nothing chosen";
  node.setAttribute("aria-label", `${place.label || plainEmoji(element.placeholder?.text) || "Choose"}: ${named}`);
}

function openOptions(node, { element, place, kind, many, chosen, settle }) {
  const search = el("input.field.select-search", { type: "text", placeholder: "Search", autocomplete: "off", role: "combobox", "aria-expanded": "true", autofocus: true, "aria-label": "Search options" });
  const list = el("div.options", { role: "listbox", "aria-multiselectable": many ? "true" : null });
  let shown = [];
  let active = 0;
  const pick = (option) => {
    if (!option) return;
    if (!many) {
      closePopover();
      return settle([option]);
    }
    const now = chosen();
    const has = now.some((one) => one.value === option.value);
    const next = has ? now.filter((one) => one.value !== option.value) : [...now, option];
    if (element.max_selected_items && next.length > element.max_selected_items) return;
    settle(next);
    draw(shown);
  };
  const mark = () => [...list.querySelectorAll("[role=option]")].forEach((one, index) => {
    one.classList.toggle("is-active", index === active);
    if (index === active) one.scrollIntoView({ block: "nearest" });
  });
  const draw = (entries) => {
    shown = entries;
    fill(list);
    if (!entries.some((entry) => !entry.group)) append(list, [el("p.options-empty", {}, "No results")]);
    for (const entry of entries) append(list, [entry.group ? el("div.menu-heading", {}, entry.group) : optionNode(entry, chosen(), pick)]);
    mark();
  };
  const look = kind.external ? externalLook(element, place, draw, list) : () => draw(matching(kind.list(element), search.value));
  search.addEventListener("input", () => { active = 0; look(search.value); });
  search.addEventListener("keydown", (event) => {
    const options = shown.filter((entry) => !entry.group);
    if (event.key === "ArrowDown") active = Math.min(active + 1, options.length - 1);
    else if (event.key === "ArrowUp") active = Math.max(active - 1, 0);
    else if (event.key === "Enter") pick(options[active]);
    else if (event.key === "Tab") return closePopover();
    else return;
    event.preventDefault();
    mark();
  });
  look("");
  openPopover(node, [search, list], { className: "popover-select", minimum: node.offsetWidth });
}

function optionNode(option, chosen, pick) {
  const has = chosen.some((one) => one.value === option.value);
  return el("div.option", { role: "option", "aria-selected": String(has), onclick: () => pick(option) },
    option.user && avatar(option.user, optionText(option), "xs"),
    el("span.option-text", {}, textNodes(option.text), option.description && el("small", {}, textNodes(option.description))),
    has && icon("check"));
}

/** Options and groups as one flat list, groups as {group: label}. */
function matching(entries, query) {
  const wanted = query.trim().toLowerCase();
  const fits = (option) => optionText(option).toLowerCase().includes(wanted);
  return entries.flatMap((entry) => {
    if (!entry.options) return fits(entry) ? [entry] : [];
    const inside = entry.options.filter(fits);
    return inside.length ? [{ group: plainEmoji(entry.label?.text) }, ...inside] : [];
  });
}

function externalLook(element, place, draw, list) {
  const least = element.min_query_length ?? 3;
  const ask = debounce(200, async (typed) => {
    const answer = await post("options", { container: place.surface.container, block_id: place.blockId, action_id: element.action_id, value: typed });
    if (answer.ok) draw(matching(answer.option_groups || answer.options || [], ""));
    else fill(list, el("p.options-empty", {}, "The app did not answer."));
  });
  return (typed) => {
    if (typed.length < least) return fill(list, el("p.options-empty", {}, `Type ${least === 1 ? "a letter" : `${least} letters`} to search`));
    fill(list, el("p.options-empty", {}, "Searching…"));
    ask(typed);
  };
}

export const SELECTS = Object.fromEntries(Object.keys(KINDS).flatMap((kind) => [
  [`${kind}_select`, select(kind, false)],
  [`multi_${kind}_select`, select(kind, true)],
]));
