// The app's own page: the Home tab.

import { byId, el, fill } from "./dom.js";
import { avatar, presence } from "./chips.js";
import { blockList } from "./blocks.js";
import { Surface } from "./actions.js";
import { appTabs, forgetChannel, menuButton } from "./channel.js";
import { shipMark } from "./icons.js";
import { post } from "./api.js";
import { on, state } from "./state.js";

export async function showHome() {
  forgetChannel();
  draw();
  const answer = await post("home");
  if (answer.ok && answer.view) state.home = answer.view;
  if (state.place.kind === "home") draw();
}

function draw() {
  const place = byId("main");
  const scrolled = place.querySelector(".home-scroll")?.scrollTop || 0;
  const head = el("header.pane-head", {}, el("div.pane-line", {}, menuButton(), el("h1.pane-title", {}, avatar(state.app.bot_user_id, "", "s"), state.app.name, el("span.app-badge", {}, "APP"), presence(state.app.bot_user_id))), appTabs("home"));
  const content = state.home
    ? el("div.home", {}, blockList(state.home.blocks, new Surface({ type: "view", view_id: state.home.id }, "home")))
    : el("div.empty", {}, el("span.empty-mark", {}, shipMark()), el("h2", {}, "Nothing here yet"), el("p", {}, `${state.app.name} puts your approvals, models and last runs here once it is connected.`));
  fill(place, head, el("div.home-scroll", { tabindex: "0" }, content));
  place.querySelector(".home-scroll").scrollTop = scrolled;
}

on("home", () => state.place.kind === "home" && draw());
on("app", () => state.place.kind === "home" && draw());
