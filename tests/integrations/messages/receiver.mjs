// A calendar that takes in iTIP messages with ical.js: `node receiver.mjs PATH-OF-ICAL.JS`, a JSON list of texts on stdin, its events on
// stdout. Of two messages about one UID the one of the higher SEQUENCE holds, then of the newer DTSTAMP (RFC 5546, 2.1.5).
import { readFileSync } from "node:fs";

const ICAL = (await import(process.argv[2])).default;
const held = new Map();
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const method = calendar.getFirstPropertyValue("method");
  for (const component of calendar.getAllSubcomponents("vevent")) {
    const event = new ICAL.Event(component);
    const stamp = component.getFirstPropertyValue("dtstamp").toUnixTime();
    const before = held.get(event.uid);
    if (before && (before.sequence > event.sequence || (before.sequence === event.sequence && before.stamp >= stamp))) continue;
    held.set(event.uid, {
      uid: event.uid,
      start: event.startDate.toUnixTime(),
      end: event.endDate.toUnixTime(),
      summary: event.summary,
      sequence: event.sequence,
      recurring: event.isRecurring(),
      stamp,
      gone: method === "CANCEL",
    });
  }
}
process.stdout.write(JSON.stringify([...held.values()].filter((event) => !event.gone)));
