// The left of the page: the rail, the workspace, who you are, channels, apps, people.

import { byId, el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, presence } from "./chips.js";
import { openMenu, openPopover } from "./layer.js";
import { botRoom, channelTitle, emit, isBotRoom, on, sortedChannels, state, userOf } from "./state.js";

const closed = new Set();

export function drawSidebar() {
  fill(byId("sidebar"), head(), personSwitch(), el("div.sidebar-scroll", {},
    group("Channels", sortedChannels("channel").map(channelRow)),
    group("Direct messages", [...sortedChannels("im").filter((one) => !isBotRoom(one)).map(directRow), ...people().map(personRow)]),
    group("Apps", botRoom() ? [appRow(botRoom())] : [])));
  drawRail();
  drawTitle();
}

function head() {
  return el("div.sidebar-head", {}, el("button.workspace-name", { type: "button", onclick: (event) => emit("workspace-menu", event.currentTarget), "aria-haspopup": "menu" }, state.team.name || "Workspace", icon("down")),
    el("button.icon-button.only-narrow", { type: "button", "aria-label": "Hide the sidebar", onclick: () => document.body.classList.remove("has-sidebar") }, icon("close")));
}

function personSwitch() {
  const me = state.me;
  if (!me) return null;
  return el("button.person-switch", { type: "button", id: "person-switch", "aria-haspopup": "menu", "aria-expanded": "false", onclick: (event) => personMenu(event.currentTarget) },
    avatar(me.id, me.real_name, "s"),
    el("span.person-text", {}, el("small", {}, "You are"), el("b", {}, me.real_name), el("span", {}, me.title)), icon("down"));
}

const people = () => [...state.users.values()].filter((user) => !user.is_bot);

export function personMenu(anchor) {
  openMenu(anchor, [
    { heading: "Be somebody else" },
    ...people().map((user) => ({
      label: el("span.menu-person", {}, avatar(user.id, user.real_name, "s"), el("span", {}, el("b", {}, user.real_name), el("small", {}, user.title))),
      checked: user.id === state.person, act: () => user.id !== state.person && emit("become", user.id),
    })),
    { separator: true },
    ...people().filter((user) => user.id !== state.person).map((user) => ({
      label: `Open a second window as ${user.real_name}`, icon: "external", act: () => open(`/?as=${user.id}${location.hash}`, "_blank", "noopener"),
    })),
  ], { className: "popover-menu popover-people" });
}

function group(name, rows) {
  const list = el("div.side-list", { hidden: closed.has(name) }, rows);
  const header = el("button.side-heading", {
    type: "button", "aria-expanded": String(!closed.has(name)),
    onclick: () => { closed.has(name) ? closed.delete(name) : closed.add(name); drawSidebar(); },
  }, icon("down"), name);
  return el("section.side-group", {}, header, list);
}

const isHere = (channel) => state.place.kind === "channel" && state.place.channel === channel.id;

function row(channel, mark, label, extra) {
  const badge = channel.mentions > 0;
  return el("a.side-row", {
    href: `#/${channel.id}`, data: { channel: channel.id }, "aria-current": isHere(channel) ? "page" : null,
    class: [channel.unread > 0 && "is-unread", !channel.is_member && "is-outside"].filter(Boolean).join(" "),
    "aria-label": `${label}${channel.unread ? `, ${channel.unread} unread` : ""}`,
  }, mark, el("span.side-name", {}, label), extra, badge && el("span.badge", {}, channel.mentions > 99 ? "99+" : channel.mentions));
}

const channelRow = (channel) => row(channel, icon("hash"), channel.name);
const directRow = (channel) => row(channel, el("span.side-face", {}, avatar(channel.user, channelTitle(channel), "xs"), presence(channel.user)), channelTitle(channel));

function personRow(user) {
  const mine = user.id === state.person;
  return el("button.side-row", { type: "button", onclick: (event) => showProfile(user.id, event.currentTarget), "aria-label": `Profile of ${user.real_name}` },
    el("span.side-face", {}, avatar(user.id, user.real_name, "xs"), presence(user.id)), el("span.side-name", {}, user.real_name), mine && el("small.you", {}, "you"));
}

function appRow(channel) {
  const here = isHere(channel) || state.place.kind === "home";
  const node = row(channel, el("span.side-face", {}, avatar(channel.user, "", "xs"), presence(channel.user)), state.app.name || channelTitle(channel));
  node.href = channel.unread ? `#/${channel.id}` : "#/home";
  if (here) node.setAttribute("aria-current", "page");
  return node;
}

export function showProfile(id, anchor) {
  const user = userOf(id);
  if (!user) return;
  const mine = id === state.person;
  const action = user.is_bot
    ? el("a.button.primary", { href: "#/home" }, `Open ${user.real_name}`)
    : mine ? null : el("button.button.primary", { type: "button", onclick: () => emit("become", id) }, `Be ${user.real_name.split(" ")[0]}`);
  openPopover(anchor, el("div.profile", {}, avatar(id, user.real_name, "l"),
    el("div.profile-name", {}, el("b", {}, user.real_name), user.is_bot && el("span.app-badge", {}, "APP"), presence(id)),
    el("div.profile-title", {}, user.title || (user.is_bot ? "App" : "")),
    el("div.profile-id", {}, `@${user.name}`, el("code", {}, user.id)), action), { className: "popover-profile" });
}

function drawRail() {
  const item = (label, glyph, href, here, dot) => el("a.rail-item", { href, "aria-current": here ? "page" : null, title: label }, el("span.rail-icon", {}, icon(glyph), dot && el("i.rail-dot")), el("span", {}, label));
  const unread = [...state.channels.values()].some((channel) => channel.unread && !isBotRoom(channel));
  const first = sortedChannels("channel").find((one) => one.is_member);
  const app = botRoom();
  const inApp = state.place.kind === "home" || (app && state.place.channel === app.id);
  fill(byId("rail"), el("span.rail-team", { title: state.team.name }, (state.team.name || "?")[0]),
    item("Home", "home", `#/${first?.id || ""}`, !inApp, unread),
    item(state.app.name || "App", "apps", "#/home", inApp, app?.mentions > 0), el("span.grow"),
    el("button.rail-item", { type: "button", title: "Light or dark", "aria-label": "Switch between light and dark", onclick: () => emit("theme") }, el("span.rail-icon", {}, icon(document.documentElement.dataset.shade === "dark" ? "sun" : "moon"))),
    state.me && el("button.rail-me", { type: "button", "aria-label": `You are ${state.me.real_name}. Switch person`, onclick: (event) => personMenu(event.currentTarget) }, avatar(state.me.id, state.me.real_name, "m"), presence(state.me.id)));
}

function drawTitle() {
  const waiting = [...state.channels.values()].reduce((sum, channel) => sum + (channel.mentions || 0), 0);
  const place = state.place.kind === "home" ? state.app.name : state.channels.get(state.place.channel)?.type === "im" ? state.app.name : `#${channelTitle(state.channels.get(state.place.channel))}`;
  document.title = `${waiting ? `(${waiting}) ` : ""}${place} | ${state.team.name || "Workspace"}`;
}

on("sidebar", drawSidebar);
on("channel", drawSidebar);
on("app", drawSidebar);
on("profile", showProfile);
