// Where it all starts: who you are, where you are, and staying in touch with the workspace.

import { el, byId, fill } from "./dom.js";
import { get, listen, speakAs } from "./api.js";
import { forgetChannel, revealMessage, showChannel } from "./channel.js";
import { showHome } from "./home.js";
import { closePopover, popoverIsOpen, toast } from "./layer.js";
import { dismiss, hear, loadMessages, markRead } from "./live.js";
import { drawModal, refreshStack } from "./modal.js";
import { drawPanel } from "./panel.js";
import { drawSidebar } from "./sidebar.js";
import { applyTheme, drawBars, drawTopbar } from "./topbar.js";
import { closeThread, loadThread, openThread } from "./thread.js";
import { botRoom, channelOf, emit, on, sortedChannels, state } from "./state.js";
import "./switcher.js";

const FIRST_PERSON = "U0ANA";
let source = null;
let started = false;

function chosenPerson() {
  const asked = new URLSearchParams(location.search).get("as");
  if (asked) history.replaceState(null, "", `/${location.hash}`);
  return asked || sessionStorage.getItem("person") || localStorage.getItem("person") || FIRST_PERSON;
}

/** Be this person: everything is read anew, through their eyes. */
function become(id) {
  closePopover();
  source?.close();
  state.person = id;
  speakAs(id);
  for (const kept of [state.messages, state.threads, state.hasMore, state.statuses, state.prompts, state.notices, state.newLine]) kept.clear();
  Object.assign(state, { stack: [], home: null });
  drawModal();
  closeThread();
  forgetChannel();
  started = false;
  source = listen({ opened, lost, news: hear });
}

async function opened() {
  if (!(await loadWorkspace())) return;
  state.link = "open";
  emit("link");
  await Promise.all([resync(), refreshStack()]);
}

function lost(forGood) {
  state.link = "lost";
  emit("link");
  if (forGood) setTimeout(() => state.link === "lost" && become(state.person), 2000);
}

async function loadWorkspace() {
  const answer = await get("workspace");
  if (answer.error === "user_not_found" && state.person !== FIRST_PERSON) {
    become(FIRST_PERSON);
    return false;
  }
  if (!answer.ok) {
    lost(false);
    return false;
  }
  const { team, me, users, channels, commands, shortcuts, app, switches, panel } = answer;
  Object.assign(state, { team, me, commands, shortcuts, app, switches: switches || {}, panel: panel || [] });
  state.users = new Map(users.map((user) => [user.id, user]));
  state.channels = new Map(channels.map((channel) => [channel.id, channel]));
  sessionStorage.setItem("person", state.person);
  localStorage.setItem("person", state.person);
  drawTopbar();
  drawSidebar();
  drawBars();
  drawPanel();
  return true;
}

/** After (re)connecting: what was missed meanwhile. */
async function resync() {
  if (!started) {
    started = true;
    await route();
    byId("shell").classList.add("is-ready");
    return;
  }
  if (state.place.kind === "home") return showHome();
  const here = state.place.channel;
  for (const channel of state.messages.keys()) if (channel !== here) state.messages.delete(channel);
  if (here && (await loadMessages(here))) emit("messages", here);
  if (state.thread) await loadThread();
  if (document.visibilityState === "visible") markRead(here);
}

// Places: #/C123, #/C123/p1700000000000100?thread_ts=…, #/home

function placeOf(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const [channel, message] = path.split("/");
  const digits = /^p(\d{11,})$/.exec(message || "")?.[1];
  const ts = digits ? `${digits.slice(0, -6)}.${digits.slice(-6)}` : "";
  return { channel, ts, threadTs: new URLSearchParams(query || "").get("thread_ts") || "" };
}

async function route() {
  const { channel, ts, threadTs } = placeOf(location.hash);
  document.body.classList.remove("has-sidebar");
  closePopover();
  if (channel === "home") return goHome();
  const room = channelOf(channel) || favourite();
  if (!room) return emptyWorkspace();
  await goChannel(room.id);
  if (ts) await goMessage(room.id, ts, threadTs);
}

const favourite = () => [...state.channels.values()].find((one) => one.name === "ml") || sortedChannels("channel").find((one) => one.is_member) || botRoom();

function goHome() {
  state.newLine.delete(state.place.channel);
  state.place = { kind: "home", channel: "" };
  closeThread();
  drawSidebar();
  return showHome();
}

async function goChannel(id) {
  const moved = state.place.channel !== id || state.place.kind !== "channel";
  if (moved) {
    state.newLine.delete(state.place.channel);
    if (state.thread && state.thread.channel !== id) closeThread();
  }
  state.place = { kind: "channel", channel: id };
  const unread = channelOf(id).unread || 0;
  if (!state.messages.has(id) && !(await loadMessages(id))) return;
  if (state.place.channel !== id) return;
  if (moved) drawNewLine(id, unread);
  showChannel();
  drawSidebar();
  markRead(id);
  if (moved && !byId("layer").hasChildNodes()) emit("focus-composer");
}

function drawNewLine(id, unread) {
  if (!unread) return;
  const others = [...state.messages.get(id).values()].filter((message) => message.user !== state.person && !message.ephemeral);
  const first = others.at(-Math.min(unread, others.length));
  if (first) state.newLine.set(id, first.ts);
}

async function goMessage(channel, ts, threadTs) {
  if (threadTs && threadTs !== ts) {
    await openThread(channel, threadTs, { focus: false });
    document.getElementById(`m-t-${ts}`)?.classList.add("is-highlighted");
    return;
  }
  if (!(await revealMessage(ts))) toast("That message is not here any more.", "danger");
}

function emptyWorkspace() {
  fill(byId("main"), el("div.empty", {}, el("h2", {}, "No channels yet"), el("p", {}, "This workspace has no channel that you may see.")));
}

on("become", become);
on("dismiss", dismiss);
on("read", (channel) => markRead(channel));
on("go-home", () => (location.hash = "#/home"));
on("rejoined", async (id) => {
  await loadWorkspace();
  await goChannel(id);
});

addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && state.place.kind === "channel" && state.link === "open") markRead(state.place.channel);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || popoverIsOpen() || document.querySelector(".scrim")) return;
  if (document.body.classList.contains("has-sidebar")) document.body.classList.remove("has-sidebar");
  else closeThread();
});
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());

applyTheme();
become(chosenPerson());
