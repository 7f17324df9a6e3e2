// A utility's side of docs/asyncapi.yaml: a credit, a want, a tariff, and what the meter says.
//
//   node client.mjs BROKER KEYS credit N AMOUNT        waits for the meter's signed ack
//   node client.mjs BROKER KEYS want V ID N GROUP      waits for a hello that holds it
//   node client.mjs BROKER KEYS tariff GROUP FILE      the same
//   node client.mjs BROKER KEYS arm                    with the challenge of a hello
//   node client.mjs BROKER KEYS open REASON            the same, and signed by the gate too
//
// KEYS is a JSON file: {"tenant", "meter", "device_key" and "gate_key": 64 hex digits each,
// "tariff_pem": PKCS 8}.
// Prints one JSON object; ends with 1 when nothing it may believe came in time.

import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { CompactSign, compactVerify, importPKCS8 } from "jose";
import mqtt from "mqtt";

const WAIT_MS = 30000;
const AGAIN_MS = 5000;

const [brokerUrl, keysFile, action, ...words] = process.argv.slice(2);
const keys = JSON.parse(readFileSync(keysFile, "utf8"));
const text = (value) => new TextEncoder().encode(value);
const read = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
const meterTopic = (leaf) => `wl/1/${keys.tenant}/m/${keys.meter}/${leaf}`;
const groupTopic = (group, leaf) => `wl/1/${keys.tenant}/g/${group}/${leaf}`;

// Key derivation: HMAC-SHA256(K_dev, "wattledger/1/" + kid).
function derived(kid) {
  const secret = Buffer.from(kid.startsWith("gate.") ? keys.gate_key : keys.device_key, "hex");
  return createHmac("sha256", secret).update(`wattledger/1/${kid}`).digest();
}

// The protected header has alg and kid and nothing else.
async function signed(payload, kid) {
  const es256 = kid.startsWith("tariff.") || kid.startsWith("root.");
  const header = { alg: es256 ? "ES256" : "HS256", kid };
  const key = es256 ? await importPKCS8(keys.tariff_pem, "ES256") : derived(kid);
  return await new CompactSign(payload).setProtectedHeader(header).sign(key);
}

// What the meter says, when it is this meter and it has signed it; else null.
async function believed(token) {
  try {
    const options = { algorithms: ["HS256"] };
    const found = await compactVerify(token, derived("up.1"), options);
    const payload = read(found.payload);
    return found.protectedHeader.kid === "up.1" && payload.m === keys.meter ? payload : null;
  } catch {
    return null;
  }
}

function reference(token) {
  return createHash("sha256").update(token).digest("hex").slice(0, 16);
}

const client = mqtt.connect(brokerUrl, { protocolVersion: 4, clean: true, reconnectPeriod: 500 });

// Publish what `make()` gives, again every few seconds, until `judge(leaf, payload)` has an answer.
async function exchange(topic, retain, make, judge) {
  await client.subscribeAsync([meterTopic("ack"), meterTopic("hello")], { qos: 1 });
  return await new Promise((resolve, reject) => {
    const send = async (hello) => {
      const token = await make(hello);
      if (token) await client.publishAsync(topic, token, { qos: 1, retain });
    };
    const again = setInterval(() => send(null).catch(reject), AGAIN_MS);
    const late = setTimeout(() => reject(new Error("nothing to believe came in time")), WAIT_MS);
    client.on("message", (from, token) => {
      const leaf = from.split("/").pop();
      believed(token.toString())
        .then(async (payload) => {
          if (!payload) return;
          const answer = judge(leaf, payload);
          if (answer) {
            clearInterval(again);
            clearTimeout(late);
            resolve(answer);
          } else if (leaf === "hello") {
            await send(payload);
          }
        })
        .catch(reject);
    });
    send(null).catch(reject);
  });
}

async function credit(n, amount) {
  const command = { m: keys.meter, op: "credit.add", a: { n: Number(n), amount: Number(amount) } };
  const token = await signed(text(JSON.stringify(command)), "credit.1");
  return await exchange(meterTopic("cmd"), false, () => token, (leaf, payload) =>
    leaf === "ack" && payload.of === reference(token) ? payload : null,
  );
}

// A command with a challenge is signed anew for each hello until one answer is not stale. The answer
// to any of them counts: the one to the first may be on its way when a hello comes.
async function challenged(op, a, kids) {
  let token = null;
  const sent = new Set();
  const make = async (hello) => {
    if (!hello) return token;
    const fresh = { ch: hello.challenge, ctr: Date.now() };
    token = JSON.stringify({ m: keys.meter, op, ...fresh, a });
    for (const kid of kids) token = await signed(text(token), kid);
    sent.add(reference(token));
    return token;
  };
  return await exchange(meterTopic("cmd"), false, make, (leaf, payload) => {
    const mine = leaf === "ack" && sent.has(payload.of);
    return mine && payload.result !== "stale" ? payload : null;
  });
}

const arm = () => challenged("relay.arm", {}, ["relay.1"]);
const open = (reason) => challenged("relay.open", { reason }, ["relay.1", "gate.1"]);

async function want(v, id, n, group) {
  const wanted = { m: keys.meter, v: Number(v), id, n: Number(n), group, fw: 0 };
  const token = await signed(text(JSON.stringify(wanted)), "tariff.1");
  return await exchange(meterTopic("want"), true, () => token, (leaf, payload) =>
    leaf === "hello" && payload.documents.want === wanted.v ? payload : null,
  );
}

// A document is signed over the bytes of its file.
async function tariff(group, file) {
  const bytes = readFileSync(file);
  const { id, n } = JSON.parse(bytes.toString());
  const token = await signed(bytes, "tariff.1");
  return await exchange(groupTopic(group, "tariff"), true, () => token, (leaf, payload) => {
    if (leaf !== "hello") return null;
    const held = [payload.tariff, payload.documents.next].some((s) => s?.id === id && s?.n === n);
    return held ? payload : null;
  });
}

try {
  const answer = await { credit, arm, open, want, tariff }[action](...words);
  console.log(JSON.stringify(answer));
} catch (error) {
  console.error(`${action}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await client.endAsync(true);
}
