/** The one socket of the page and all it has said. Who listens late hears the last word again. */

const LONGEST_WAIT_MS = 2000;
const QUIET_MS = 4000;
const QUIET_CHECK_MS = 500;

const listeners = new Map();
const last = new Map();
const store = { devices: {}, offset: Number(document.documentElement.dataset.now) - Date.now(), newest: 0 };
let tries = 0;
let heardAt = 0;

/** Calls `hear(body)` for every message of a kind: values, states, said, ledger, commands, health, edition. */
export function listen(kind, hear) {
  if (!listeners.has(kind)) listeners.set(kind, []);
  listeners.get(kind).push(hear);
  if (last.has(kind)) hear(last.get(kind));
}

/** The server's time: the browser's own clock may be wrong. */
export function now() {
  return Date.now() + store.offset;
}

/** The newest `[value, at, flag, test]` of one channel. */
export function newest(device, channel) {
  return store.devices[device]?.[channel];
}

/** Times of a device's newest readings; the newest of all of them without a device. */
export function newestAt(device) {
  if (device === undefined) return store.newest;
  return Math.max(0, ...Object.values(store.devices[device] ?? {}).map(([, at]) => at ?? 0));
}

/** Devices are told of one `site`, of none if that is empty, of all if it is not given. */
export function connect(site) {
  const address = new URL("/live", location.href);
  if (site !== undefined) address.searchParams.set("site", site);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.onmessage = (event) => {
    heardAt = performance.now();
    tries = 0;
    take(JSON.parse(event.data));
  };
  const quiet = setInterval(() => {
    if (heardAt && performance.now() - heardAt > QUIET_MS) socket.close();
  }, QUIET_CHECK_MS);
  let over = false;
  const lost = () => {
    if (over) return;
    over = true;
    clearInterval(quiet);
    removeEventListener("offline", lost);
    heardAt = 0;
    socket.close();
    tell("health", { open: false });
    const wait = Math.min(LONGEST_WAIT_MS, 200 * 2 ** tries++);
    setTimeout(() => connect(site), wait * (0.5 + Math.random() / 2));
  };
  socket.onclose = lost;
  addEventListener("offline", lost);
}

function take(message) {
  store.offset = message.now - Date.now();
  switch (message.kind) {
    case "snapshot":
      store.devices = {};
      remember(message.devices);
      store.newest = Math.max(store.newest, message.newest);
      tellHealth(message);
      if (message.states) tell("states", message.states);
      if (message.ledger) tell("ledger", message.ledger);
      tell("values", { devices: message.devices, whole: true });
      tell("edition", message.edition);
      break;
    case "beat":
      store.newest = Math.max(store.newest, message.newest);
      tellHealth(message);
      break;
    case "values":
      remember(message.devices);
      tell("values", { devices: message.devices, whole: false });
      break;
    case "states":
      tell("states", message.states);
      tell("edition", message.edition);
      break;
    case "alarms":
      tell("states", message.states);
      tell("said", message.said);
      tell("edition", message.edition);
      break;
    case "ledger":
      tell("ledger", message.ledger);
      break;
    case "commands":
      tell("commands", message.commands);
      break;
  }
}

function tellHealth({ live, readiness, build }) {
  tell("health", { open: true, live, readiness, build });
}

function remember(devices) {
  for (const [device, channels] of Object.entries(devices)) {
    const known = (store.devices[device] ??= {});
    for (const [key, reading] of Object.entries(channels)) {
      known[key] = reading;
      store.newest = Math.max(store.newest, reading[1] ?? 0);
    }
  }
}

function tell(kind, body) {
  if (kind !== "said") last.set(kind, body);
  for (const hear of listeners.get(kind) ?? []) hear(body);
}
