// Shortcodes of the emoji that people and bots use most.

import { el } from "./dom.js";

const TABLE = `
Faces
grinning 😀|smiley 😃|smile 😄|grin 😁|laughing 😆|satisfied 😆|sweat_smile 😅|rolling_on_the_floor_laughing 🤣|joy 😂|slightly_smiling_face 🙂|upside_down_face 🙃|wink 😉|blush 😊|innocent 😇|heart_eyes 😍|star-struck 🤩|yum 😋|stuck_out_tongue 😛|hugging_face 🤗|thinking_face 🤔|zipper_mouth_face 🤐|face_with_raised_eyebrow 🤨|neutral_face 😐|expressionless 😑|smirk 😏|unamused 😒|face_with_rolling_eyes 🙄|grimacing 😬|relieved 😌|pensive 😔|sleepy 😪|sleeping 😴|mask 😷|nauseated_face 🤢|exploding_head 🤯|partying_face 🥳|sunglasses 😎|nerd_face 🤓|confused 😕|worried 😟|slightly_frowning_face 🙁|open_mouth 😮|astonished 😲|flushed 😳|fearful 😨|cold_sweat 😰|cry 😢|sob 😭|scream 😱|tired_face 😫|rage 😡|angry 😠|skull 💀|ghost 👻|robot_face 🤖|see_no_evil 🙈
Hands and people
wave 👋|ok_hand 👌|v ✌️|crossed_fingers 🤞|point_left 👈|point_right 👉|point_up_2 👆|point_down 👇|+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|fist ✊|facepunch 👊|clap 👏|raised_hands 🙌|open_hands 👐|handshake 🤝|pray 🙏|writing_hand ✍️|muscle 💪|eyes 👀|brain 🧠|raised_hand ✋|bow 🙇|shrug 🤷|face_palm 🤦|technologist 🧑‍💻|scientist 🧑‍🔬|firefighter 🧑‍🚒|busts_in_silhouette 👥|bust_in_silhouette 👤|ship 🚢
Marks
white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎|heavy_multiplication_x ✖️|warning ⚠️|no_entry ⛔|no_entry_sign 🚫|exclamation ❗|heavy_exclamation_mark ❗|question ❓|grey_question ❔|bangbang ‼️|interrobang ⁉️|100 💯|sos 🆘|ok 🆗|new 🆕|up 🆙|cool 🆒|free 🆓|information_source ℹ️|recycle ♻️|red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|large_purple_circle 🟣|black_circle ⚫|white_circle ⚪|large_red_square 🟥|large_orange_square 🟧|large_yellow_square 🟨|large_green_square 🟩|large_blue_square 🟦|black_large_square ⬛|white_large_square ⬜|black_square_button 🔲|large_orange_diamond 🔶|large_blue_diamond 🔷|octagonal_sign 🛑|repeat 🔁|repeat_one 🔂|twisted_rightwards_arrows 🔀|zzz 💤|small_blue_diamond 🔹|small_orange_diamond 🔸|small_red_triangle 🔺|small_red_triangle_down 🔻|arrow_up ⬆️|arrow_down ⬇️|arrow_left ⬅️|arrow_right ➡️|arrow_upper_right ↗️|arrow_lower_right ↘️|leftwards_arrow_with_hook ↩️|arrows_counterclockwise 🔄|arrows_clockwise 🔃|rewind ⏪|fast_forward ⏩|arrow_forward ▶️|double_vertical_bar ⏸️|black_square_for_stop ⏹️|heavy_plus_sign ➕|heavy_minus_sign ➖|one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|zero 0️⃣|bell 🔔|no_bell 🔕|speech_balloon 💬|thought_balloon 💭|left_speech_bubble 🗨️
Things
rocket 🚀|fire 🔥|boom 💥|zap ⚡|star ⭐|star2 🌟|sparkles ✨|tada 🎉|confetti_ball 🎊|trophy 🏆|first_place_medal 🥇|second_place_medal 🥈|third_place_medal 🥉|dart 🎯|bulb 💡|mag 🔍|mag_right 🔎|lock 🔒|unlock 🔓|key 🔑|hammer 🔨|wrench 🔧|hammer_and_wrench 🛠️|gear ⚙️|nut_and_bolt 🔩|link 🔗|paperclip 📎|pushpin 📌|round_pushpin 📍|scissors ✂️|pencil 📝|memo 📝|pencil2 ✏️|books 📚|book 📖|notebook 📓|clipboard 📋|calendar 📆|date 📅|card_index_dividers 🗂️|file_folder 📁|open_file_folder 📂|page_facing_up 📄|scroll 📜|newspaper 📰|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|package 📦|inbox_tray 📥|outbox_tray 📤|email ✉️|envelope ✉️|incoming_envelope 📨|computer 💻|desktop_computer 🖥️|keyboard ⌨️|floppy_disk 💾|cd 💿|battery 🔋|electric_plug 🔌|satellite 🛰️|satellite_antenna 📡|telescope 🔭|microscope 🔬|test_tube 🧪|alembic ⚗️|dna 🧬|abacus 🧮|compass 🧭|anchor ⚓|boat ⛵|sailboat ⛵|construction 🚧|rotating_light 🚨|traffic_light 🚥|vertical_traffic_light 🚦|stopwatch ⏱️|timer_clock ⏲️|alarm_clock ⏰|hourglass ⌛|hourglass_flowing_sand ⏳|watch ⌚|moneybag 💰|credit_card 💳|gem 💎|scales ⚖️|balance_scale ⚖️|toolbox 🧰|shield 🛡️|label 🏷️|bookmark 🔖|mega 📣|loudspeaker 📢|lipstick 💄|art 🎨|game_die 🎲|jigsaw 🧩|crystal_ball 🔮|bug 🐛|ladybug 🐞|ambulance 🚑|wheel 🛞|ice_cube 🧊|wastebasket 🗑️|camera 📷|movie_camera 🎥|headphones 🎧|phone ☎️|telephone_receiver 📞
Nature and food
sunny ☀️|partly_sunny ⛅|cloud ☁️|rain_cloud 🌧️|thunder_cloud_and_rain ⛈️|snowflake ❄️|rainbow 🌈|ocean 🌊|droplet 💧|earth_africa 🌍|full_moon 🌕|crescent_moon 🌙|seedling 🌱|evergreen_tree 🌲|four_leaf_clover 🍀|leaves 🍃|cherry_blossom 🌸|dog 🐶|cat 🐱|whale 🐳|dolphin 🐬|octopus 🐙|snail 🐌|turtle 🐢|snake 🐍|bee 🐝|butterfly 🦋|unicorn_face 🦄|penguin 🐧|parrot 🦜|coffee ☕|tea 🍵|beer 🍺|beers 🍻|pizza 🍕|cake 🍰|birthday 🎂|doughnut 🍩|cookie 🍪|apple 🍎|avocado 🥑|hot_pepper 🌶️|popcorn 🍿
Hearts
heart ❤️|orange_heart 🧡|yellow_heart 💛|green_heart 💚|blue_heart 💙|purple_heart 💜|black_heart 🖤|white_heart 🤍|broken_heart 💔|two_hearts 💕|sparkling_heart 💖`;

/** @type {Map<string, string>} */
export const emoji = new Map();
/** @type {{name: string, codes: string[]}[]} */
export const emojiGroups = [];

for (const line of TABLE.trim().split("\n")) {
  if (!line.includes("|")) {
    emojiGroups.push({ name: line, codes: [] });
    continue;
  }
  for (const entry of line.split("|")) {
    const space = entry.indexOf(" ");
    emoji.set(entry.slice(0, space), entry.slice(space + 1));
    emojiGroups.at(-1).codes.push(entry.slice(0, space));
  }
}

/** An emoji by its shortcode, without skin tone; unknown ones stay readable as :name:. */
export function emojiNode(code, attributes = {}) {
  const name = String(code).replace(/::skin-tone-\d$/, "");
  const found = emoji.get(name);
  if (!found) return document.createTextNode(`:${name}:`);
  return el("span.emoji", { role: "img", "aria-label": `${name.replace(/_/g, " ")} emoji`, title: `:${name}:`, ...attributes }, found);
}

const SHORTCODE = /:([a-z0-9_+-]+)(?:::skin-tone-\d)?:/g;

/** Text with shortcodes as nodes. */
export function withEmoji(text) {
  const nodes = [];
  let at = 0;
  for (const found of String(text).matchAll(SHORTCODE)) {
    if (!emoji.has(found[1])) continue;
    nodes.push(text.slice(at, found.index), emojiNode(found[1]));
    at = found.index + found[0].length;
  }
  nodes.push(String(text).slice(at));
  return nodes.filter((node) => node !== "");
}

/** Text where shortcodes became characters: for places that hold text alone. */
export const plainEmoji = (text) =>
  String(text ?? "").replace(SHORTCODE, (whole, name) => emoji.get(name) || whole);

const ONLY = /^(\s|:[a-z0-9_+-]+:|\p{Extended_Pictographic}|\uFE0F|\u200D)+$/u;
export const onlyEmoji = (text) => text.length < 80 && ONLY.test(text) && !/^\s*$/.test(text);

export function searchEmoji(query, limit = 8) {
  const wanted = query.toLowerCase();
  const found = [...emoji.keys()].filter((code) => code.includes(wanted));
  return found.sort((one, other) => Number(other.startsWith(wanted)) - Number(one.startsWith(wanted))).slice(0, limit);
}
