// Keeps the page fresh: asks /api/summary every second. What comes from data becomes text, never HTML.
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const states = ["unactivated", "active", "silent", "lost", "new", "erased"];
  const find = (id) => document.getElementById(id);
  const number = (count) => count.toLocaleString("en");
  const two = (part) => String(part).padStart(2, "0");

  const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const clock = (at) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const utc = (ts) => `${new Date(ts).toISOString().replace("T", " ").replace(/(\.000)?Z$/, "")} UTC`;

  const localize = (time) => {
    const ts = Number(time.dataset.ts);
    time.textContent = `${day(new Date(ts))} ${clock(new Date(ts))}`;
    time.title = utc(ts);
    time.dateTime = new Date(ts).toISOString();
    return time;
  };

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  const moment = (ts) => {
    const time = document.createElement("time");
    time.dataset.ts = ts;
    return localize(time);
  };

  // text of any origin and length; all of it is shown on hover
  const whole = (text, title = text) => element("bdi", { textContent: text, title });

  // the same words as share() in app/wording.py
  const share = (part, whole) => {
    const percent = whole ? (100 * part) / whole : 0;
    if (percent > 0 && percent < 1) return "<1%";
    return percent > 99 && percent < 100 ? ">99%" : `${Math.round(percent)}%`;
  };

  // the same words as cause_in_words() in app/demo/labels.py
  const causeInWords = (cause) => {
    if (cause === "timer") return words.time;
    if (/^(churn|gender):/.test(cause)) return words.score;
    const colon = cause.indexOf(":");
    const label = words.labels.find((each) => cause.startsWith(`${each}-`, colon + 1));
    return [cause.slice(0, colon), label].filter(Boolean).join(", ");
  };

  const why = (change) => causeInWords(change.cause) + (change.corrects ? ", takes back a wrong change" : "");

  const value = (change, of, absent) => {
    const name = change.tag in words.titles ? of ?? absent : "";
    if (!states.includes(name)) return whole(of === null ? "none" : String(of));
    const dot = element("span", { className: `dot is-${name}` });
    return element("span", { className: "state" }, dot, name[0].toUpperCase() + name.slice(1));
  };

  const row = (change) => element("tr", {},
    element("td", { className: "when" }, moment(change.at)),
    element("td", { className: "who" }, whole(change.user_id)),
    element("td", { className: "of" }, whole(words.titles[change.tag] ?? change.tag, change.tag)),
    element("td", {}, value(change, change.from, "new")),
    element("td", {}, value(change, change.to, "erased")),
    element("td", { className: "why", textContent: why(change) }));

  // the same words as in app/ledger_words.py
  const percent = (part) => (part === null ? "-" : `${(100 * part).toFixed(1)}%`);
  const money = (minor) => (minor === null ? "-"
    : (minor / 100).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
  const points = (part) => `${part < 0 ? "" : "+"}${(100 * part).toFixed(1)}`;
  const lift = (told) => (told === null ? "-"
    : `${points(told[0])} (${points(told[1])} to ${points(told[2])})`);
  const reasons = (counts) => Object.entries(counts).slice(0, words.reasons)
    .map(([reason, count]) => `${reason} ${number(count)}`).join(", ") || "-";
  const written = { number, share: percent, money, lift, reasons };

  const figure = (row, [field, title, kind]) => {
    const className = kind === "reasons" ? kind : `${kind} n`;
    const cell = element("td", { className, textContent: written[kind](row[field]) });
    cell.dataset.title = title;
    return cell;
  };

  const showCampaigns = (rows) => {
    document.querySelectorAll("[data-ledger]").forEach((table) => {
      const [, columns] = words.ledger[table.dataset.ledger];
      table.tBodies[0].replaceChildren(...rows.map((row) => element("tr", {},
        element("th", { scope: "row" }, whole(row.campaign)), ...columns.map((column) => figure(row, column)))));
    });
    find("campaigns").hidden = !rows.length;
  };

  const showUsers = (users) => document.querySelectorAll("[data-tag]").forEach((part) => {
    const counts = users[part.dataset.tag] ?? {};
    const rows = [...part.querySelectorAll("[data-state]")];
    const all = rows.reduce((sum, each) => sum + (counts[each.dataset.state] ?? 0), 0);
    rows.forEach((each) => {
      const count = counts[each.dataset.state] ?? 0;
      each.cells[1].textContent = number(count);
      each.cells[2].textContent = share(count, all);
      const bar = part.querySelector(`[data-bar="${each.dataset.state}"]`);
      bar.hidden = !count;
      bar.style.flexGrow = count;
    });
  });

  const seen = [];
  const rate = (events) => {
    const now = performance.now() / 1000;
    seen.push([now, events]);
    while (seen.length > 1 && now - seen[1][0] >= 3) seen.shift();
    return now > seen[0][0] ? number(Math.round(Math.max(events - seen[0][1], 0) / (now - seen[0][0]))) : "-";
  };

  const showTime = (watermark) => {
    if (watermark <= 0) return;
    find("watermark").textContent = day(new Date(watermark));
    find("watermark-time").replaceChildren(moment(watermark));
  };

  const show = (summary) => {
    for (const name of ["events", "lag"]) find(name).textContent = number(summary[name]);
    find("dead-letters").textContent = number(summary.counters.dead_letters ?? 0);
    find("rate").textContent = rate(summary.events);
    showTime(summary.watermark);
    const phases = Object.entries(summary.partitions).sort();
    find("partitions").textContent = number(phases.reduce((sum, [, count]) => sum + count, 0));
    const told = phases.map(([phase, count]) => `${number(count)} ${phase}`).join(", ");
    find("phases").textContent = told || "none assigned yet";
    showUsers(summary.users);
    showCampaigns(summary.campaigns);
    const newest = summary.newest.slice(0, words.most);
    find("changes").tBodies[0].replaceChildren(...newest.map(row));
    find("changes").hidden = !newest.length;
    find("no-changes").hidden = newest.length > 0;
    find("nobody").hidden = summary.events > 0;
    find("users").hidden = !summary.events;
    find("no-store").hidden = summary.store;
  };

  const refresh = async () => {
    try {
      const answer = await fetch("api/summary", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(answer.statusText);
      show(await answer.json());
      find("no-answer").hidden = true;
    } catch {
      find("no-answer").hidden = false;
    }
    setTimeout(refresh, 1000);
  };

  document.querySelectorAll("time").forEach(localize);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  find("zone").textContent = zone === "UTC" ? "Times are UTC." : `Times are in your zone, ${zone}; hover for UTC.`;
  refresh();
})();
