// Reads a feed with ical.js and prints [uid, first day, last day] of every occurrence between two days.
// usage: node ical.mjs <ical.js> <feed> <from> <to>
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [library, feed, from, to] = process.argv.slice(2);
const ICAL = (await import(pathToFileURL(library))).default;
const root = new ICAL.Component(ICAL.parse(readFileSync(feed, "utf8")));
for (const zone of root.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);

const day = (time) => time.toString().slice(0, 10);
const last = (start, end) => {
  const before = end.clone();
  if (end.compare(start) > 0) before.adjust(end.isDate ? -1 : 0, 0, 0, end.isDate ? 0 : -1);
  return day(before);
};
const found = [];
for (const component of root.getAllSubcomponents("vevent")) {
  const event = new ICAL.Event(component);
  if (component.getFirstPropertyValue("status") === "CANCELLED") continue;
  const dates = event.iterator();
  for (let start = dates.next(); start && day(start) <= to; start = dates.next()) {
    const { startDate, endDate } = event.getOccurrenceDetails(start);
    const end = last(startDate, endDate);
    if (end >= from) found.push([event.uid, day(startDate), end]);
  }
}
console.log(JSON.stringify(found));
