// The calendar: asks for what is on the days shown, draws it with the widget, opens details.
// What may not be seen is not in what it is sent; texts are put in as text, never as markup.
(() => {
  "use strict";

  const root = document.getElementById("calendar");
  if (!root || typeof EventCalendar === "undefined") return;
  const words = JSON.parse(root.dataset.words);
  const language = document.documentElement.lang;
  const locale = navigator.languages.find((each) => each.startsWith(language)) || language;
  const narrow = matchMedia("(max-width: 52rem)");
  const status = document.getElementById("calendar-status");
  const zoneSelect = document.getElementById("calendar-zone");
  const cancelled = document.getElementById("calendar-cancelled");
  const dialog = document.getElementById("appointment");

  const VIEWS = { month: "dayGridMonth", week: "timeGridWeek", day: "timeGridDay", agenda: "listWeek" };
  const NAMES = Object.fromEntries(Object.entries(VIEWS).map(([name, type]) => [type, name]));
  const MOST = { month: 6, week: 30, day: 100, agenda: 40 };
  const DAY = 86_400_000;
  const COLOURS = 8;
  const REMEMBERED = 12;
  const EVERY = 60_000;

  const answers = new Map();  // the last answers by address, each with its ETag
  let viewType = VIEWS[root.dataset.view] || (narrow.matches ? VIEWS.agenda : VIEWS.week);
  let members = [];
  let offset = root.dataset.offset;
  let range = null;
  let asking = 0;
  let last = [];  // what was drawn last: better than nothing where the next answer fails

  const fill = (text, value) => text.replace("%s", value);
  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // --- What the address says ---

  const asked = () => {
    const query = new URLSearchParams();
    if (range) {
      query.set("view", NAMES[calendar.getOption("view")]);
      query.set("date", dayText(calendar.getOption("date")));
    }
    query.set("who", root.dataset.who);
    if (zoneSelect.value) query.set("zone", zoneSelect.value);
    if (cancelled.checked) query.set("cancelled", "1");
    return query;
  };

  const dayText = (date) => {
    const two = (number) => String(number).padStart(2, "0");
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  };

  const remember = () => {
    history.replaceState(history.state, "", `?${asked()}`);
    const print = asked();
    print.set("start", dayText(range.start));
    print.set("end", dayText(range.end));
    for (const link of document.querySelectorAll("[data-print]")) link.href = `${root.dataset.print}?${print}`;
  };

  // --- What is asked for ---

  const load = async (info) => {
    const query = new URLSearchParams({ start: info.startStr.slice(0, 10), end: info.endStr.slice(0, 10), who: root.dataset.who });
    if (zoneSelect.value) query.set("zone", zoneSelect.value);
    if (cancelled.checked) query.set("cancelled", "1");
    const address = `${root.dataset.events}?${query}`;
    const known = answers.get(address);
    const headers = { Accept: "application/json" };
    if (known) headers["If-None-Match"] = known.etag;
    const answer = await fetch(address, { headers, credentials: "same-origin", cache: "no-store" });
    if (answer.status === 401 || answer.redirected) {
      location.reload();
      return null;
    }
    if (answer.status === 304) return known.document;
    if (!answer.ok) throw new Error(String(answer.status));
    const received = await answer.json();
    answers.delete(address);
    answers.set(address, { etag: answer.headers.get("ETag"), document: received });
    if (answers.size > REMEMBERED) answers.delete(answers.keys().next().value);
    return received;
  };

  const source = async (info) => {
    const number = ++asking;
    try {
      const received = await load(info);
      // An answer that was overtaken by a later one is out of date.
      if (!received || number !== asking) return last;
      members = received.operators;
      if (received.offset !== offset) {
        offset = received.offset;
        setTimeout(() => calendar.setOption("timeZone", offset));
      }
      const hidden = hiddenMembers();
      const shown = received.entries.filter((entry) => !entry.operators.every((each) => hidden.has(each)));
      const drawn = thinned(shown.flatMap(events), info);
      status.textContent = drawn.length ? "" : words.none;
      status.classList.remove("is-wrong");
      last = drawn;
      return drawn;
    } catch {
      status.textContent = words.failed;
      status.classList.add("is-wrong");
      return last;
    }
  };

  // A large team has more on a day than can be read, or drawn in good time: of each day the first
  // are drawn, and one more that tells how many there are besides.
  const thinned = (all, info) => {
    const most = MOST[NAMES[viewType]];
    const drawn = new Map();
    const besides = new Map();
    const add = (counts, days) => days.forEach((day) => counts.set(day, (counts.get(day) || 0) + 1));
    all.sort((a, b) => b.allDay - a.allDay || (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
    const kept = all.filter((event) => {
      const days = daysOf(event, info);
      const fits = days.every((day) => (drawn.get(day) || 0) < most);
      add(fits ? drawn : besides, days);
      return fits;
    });
    for (const [day, count] of besides) {
      const more = { start: day, end: dayAfter(day), allDay: true, title: fill(words.more, count) };
      kept.push({ ...more, id: `more/${day}`, classNames: ["is-more"], extendedProps: { more: day } });
    }
    return kept;
  };

  const dayAfter = (day) => new Date(Date.parse(day) + DAY).toISOString().slice(0, 10);

  const daysOf = ({ start, end, allDay }, info) => {
    const days = [];
    const until = allDay || end.endsWith("T00:00:00") ? end.slice(0, 10) : dayAfter(end.slice(0, 10));
    const last = until < info.endStr ? until : info.endStr.slice(0, 10);
    let day = start > info.startStr ? start.slice(0, 10) : info.startStr.slice(0, 10);
    for (; day < last; day = dayAfter(day)) days.push(day);
    return days;
  };

  const events = (entry) =>
    entry.times.map(([start, end, original, clock]) => ({
      id: `${entry.row}/${original}`,
      start,
      end,
      allDay: start.length === 10,
      title: entry.withheld ? words.withheld : entry.subject || words.no_subject,
      classNames: classesOf(entry),
      extendedProps: { entry, original, clock },
    }));

  const classesOf = (entry) => {
    const classes = [`shows-${entry.show_as}`];
    for (const name of ["cancelled", "declined", "private", "withheld"]) if (entry[name]) classes.push(`is-${name}`);
    if (members.length > 1) classes.push(entry.operators.length > 1 ? "of-many" : `of-${entry.operators[0] % COLOURS}`);
    return classes;
  };

  const hiddenMembers = () => {
    const boxes = document.querySelectorAll("#calendar-members input:not(:checked)");
    return new Set(Array.from(boxes, (box) => Number(box.value)));
  };

  // --- How one is drawn ---

  const icon = (name) => document.querySelector(`[data-icon="${name}"] svg`).cloneNode(true);

  const marks = (entry, original) => {
    const found = [];
    if (entry.exception) found.push(["exception", words.exception]);
    else if (original && !entry.withheld) found.push(["series", words.series]);
    if (entry.private) found.push(["private", words.private]);
    if (entry.kept) found.push(["kept", words.kept]);
    return found.map(([name, text]) => {
      const mark = element("span", "mark");
      mark.title = text;
      mark.append(icon(name), element("span", "visually-hidden", ` ${text}`));
      return mark;
    });
  };

  const people = (entry) => {
    if (members.length < 2) return [];
    const names = entry.operators.map((each) => members[each].name);
    const made = element("span", "people", names.length > 2 ? fill(words.operators, names.length) : names.join(", "));
    made.title = names.join(", ");
    return [made];
  };

  const dayName = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });

  const content = ({ event, timeText, view }) => {
    const { entry, original, clock, more } = event.extendedProps;
    const nodes = [];
    if (more) return { domNodes: [element("span", "ec-event-title", `+ ${event.title}`)] };
    const inList = view.type === VIEWS.agenda;
    if (!inList) nodes.push(element("span", "visually-hidden", `${dayName.format(event.start)},`));
    if (!event.allDay) nodes.push(element("span", "ec-event-time", clock || timeText));
    else if (inList) nodes.push(element("span", "ec-event-time", words.all_day));
    const title = element("span", "ec-event-title", event.title);
    title.title = [event.allDay ? words.all_day : clock || timeText, event.title, entry.location].filter(Boolean).join(" · ");
    if (entry.cancelled) title.append(element("span", "visually-hidden", ` (${words.cancelled})`));
    if (entry.declined) title.append(element("span", "visually-hidden", ` (${words.declined})`));
    if (entry.show_as === "tentative") title.append(element("span", "visually-hidden", ` (${words.tentative})`));
    title.append(...marks(entry, original));
    nodes.push(title);
    if (entry.location && view.type !== VIEWS.month) nodes.push(element("span", "place", entry.location));
    nodes.push(...people(entry));
    // Lines may break between the parts.
    return { domNodes: nodes.flatMap((node) => [node, document.createTextNode(" ")]) };
  };

  // The widget calls itself a table, but its events lie beside the cells: a reader of the screen is
  // better served by a group of buttons, each of which says its day.
  const ROLES = ["table", "rowgroup", "row", "cell", "columnheader", "rowheader", "list", "listitem"];
  const COUNTS = ["aria-colindex", "aria-rowindex", "aria-colcount", "aria-rowcount", "aria-colspan", "aria-rowspan"];
  const roles = ROLES.map((each) => `[role=${each}]`).join();
  const tidy = () => {
    for (const each of root.querySelectorAll(roles)) each.removeAttribute("role");
    for (const name of COUNTS) for (const each of root.querySelectorAll(`[${name}]`)) each.removeAttribute(name);
    for (const each of root.querySelectorAll(".ec-main:not([tabindex])")) each.tabIndex = 0;
  };
  new MutationObserver(tidy).observe(root, { childList: true, subtree: true, attributeFilter: ["role", ...COUNTS] });

  // --- Details ---

  const open = ({ event }) => {
    const { entry, original, more } = event.extendedProps;
    if (more) return openDay(more);
    const query = new URLSearchParams();
    if (original) query.set("at", original);
    if (zoneSelect.value) query.set("zone", zoneSelect.value);
    const address = `${root.dataset.appointment.replace(/0$/, entry.row)}${query.size ? `?${query}` : ""}`;
    htmx.ajax("GET", address, { target: "#appointment-content", swap: "innerHTML" }).then(() => {
      if (!dialog.open) dialog.showModal();
    });
  };

  // What is besides is seen on the day itself; where the day is full, too, in the agenda to print.
  const openDay = (day) => {
    if (viewType === VIEWS.month || viewType === VIEWS.week) {
      calendar.setOption("date", day);
      acts.day();
      return;
    }
    const query = asked();
    query.set("start", day);
    query.set("end", dayAfter(day));
    location.assign(`${root.dataset.print}?${query}`);
  };

  // --- The widget ---

  const firstDay = () => {
    try {
      const known = new Intl.Locale(locale);
      const { firstDay: day } = known.getWeekInfo ? known.getWeekInfo() : known.weekInfo;
      return day % 7;
    } catch {
      return 1;
    }
  };

  const height = () => (narrow.matches ? "max(26rem, calc(100dvh - 12rem))" : "max(34rem, calc(100vh - 19rem))");
  const monthHeight = () => (narrow.matches ? "42rem" : "max(48rem, calc(100vh - 19rem))");

  const views = () => ({
    dayGridMonth: { height: monthHeight() },
    timeGridWeek: { height: height(), dayHeaderFormat: { weekday: "short", day: "numeric", month: narrow.matches ? undefined : "numeric" } },
    timeGridDay: { height: height(), titleFormat: { weekday: "long", year: "numeric", month: "long", day: "numeric" } },
    listWeek: { height: narrow.matches ? "auto" : height(), duration: { days: 28 } },
  });

  const calendar = EventCalendar.create(root, {
    view: viewType,
    date: root.dataset.day,
    timeZone: offset,
    locale,
    firstDay: firstDay(),
    slotHeight: 30,
    headerToolbar: { start: "", center: "", end: "" },
    buttonText: { close: words.close },
    allDayContent: words.all_day,
    moreLinkContent: ({ num }) => (narrow.matches ? `+${num}` : fill(words.more, num)),
    noEventsContent: words.none,
    nowIndicator: true,
    editable: false,
    selectable: false,
    dayMaxEvents: true,
    lazyFetching: false,
    eventOrder: (a, b) => b.allDay - a.allDay || Boolean(a.extendedProps.more) - Boolean(b.extendedProps.more) || a.start - b.start || b.end - a.end,
    scrollTime: "07:30:00",
    eventTimeFormat: { hour: "numeric", minute: "2-digit" },
    views: views(),
    eventSources: [{ events: source }],
    eventContent: content,
    eventClick: open,
    datesSet: ({ start, end, view }) => {
      range = { start, end };
      document.getElementById("calendar-title").textContent = view.title;
      for (const button of document.querySelectorAll("[data-view].second")) {
        button.setAttribute("aria-pressed", String(VIEWS[button.dataset.view] === view.type));
      }
      setTimeout(remember);
    },
  });

  // --- Buttons, keys, choices ---

  const acts = {
    today: () => {
      const now = new Date(Date.now() + minutes(offset) * 60_000);
      calendar.setOption("date", now.toISOString().slice(0, 10));
    },
    prev: () => calendar.prev(),
    next: () => calendar.next(),
  };
  const minutes = (text) => (text[0] === "-" ? -1 : 1) * (Number(text.slice(1, 3)) * 60 + Number(text.slice(4)));
  for (const name of Object.keys(VIEWS)) {
    acts[name] = () => {
      viewType = VIEWS[name];
      calendar.setOption("view", viewType);
    };
  }
  const KEYS = { t: "today", m: "month", w: "week", d: "day", a: "agenda", ArrowLeft: "prev", ArrowRight: "next" };

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-go], button[data-view]");
    if (button) acts[button.dataset.go || button.dataset.view]();
  });

  document.addEventListener("keydown", (event) => {
    const busy = event.target instanceof Element && event.target.closest("input, textarea, select, dialog, [contenteditable]");
    if (busy || document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = acts[KEYS[event.key]];
    if (!act) return;
    event.preventDefault();
    act();
  });

  const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (browserZone && browserZone !== root.dataset.ownZone && !Array.from(zoneSelect.options).some((each) => each.value === browserZone)) {
    zoneSelect.append(new Option(browserZone, browserZone));
  }
  const again = () => {
    calendar.refetchEvents();
    remember();
  };
  zoneSelect.addEventListener("change", again);
  cancelled.addEventListener("change", again);
  document.getElementById("calendar-members")?.addEventListener("change", () => calendar.refetchEvents());
  document.querySelectorAll("#calendar-members .member").forEach((label, number) => label.classList.add(`of-${number % COLOURS}`));

  narrow.addEventListener("change", () => calendar.setOption("views", views()));
  setInterval(() => {
    if (document.visibilityState === "visible") calendar.refetchEvents();
  }, EVERY);
})();
