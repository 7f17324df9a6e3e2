// Histories and tariffs from the meter, asked for when somebody looks and kept while they hold.

const TRIES = 40;
const AGAIN_MS = 1000;
const kept = new Map(); // address: {stamp, promise}

// The JSON at `address`; `stamp` says of which state of the meter. Null when it cannot be had.
export function asked(address, stamp) {
  const found = kept.get(address);
  if (found?.stamp === stamp) return found.promise;
  const promise = look(address);
  kept.set(address, { stamp, promise });
  promise.then((answer) => {
    if (answer === null && kept.get(address)?.promise === promise) kept.delete(address);
  });
  return promise;
}

async function look(address) {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const answer = await fetch(address);
      if (answer.status === 200) return await answer.json();
      if (answer.status !== 202) return null;
    } catch {
      return null;
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS)); // it reads its journal
  }
  return null;
}

export const SPANS = ["day", "week", "month", "year"];

// Sums of rows [local, import, export, nano: import, export, standing, other]; money as it costs.
export function sums(rows) {
  let [wh, exported, cost, earned] = [0, 0, 0n, 0n];
  for (const row of rows) {
    wh += row[1];
    exported += row[2];
    cost += costOf(row);
    earned += BigInt(row[4]);
  }
  return { wh, exported, cost, earned };
}

// Amounts come as numbers, or as texts where a number would not be exact.
// What a row cost in nano-units: energy at the price of its time, what was earned, the charges.
export function costOf(row) {
  return -(BigInt(row[3]) + BigInt(row[4]) + BigInt(row[5]) + BigInt(row[6]));
}
