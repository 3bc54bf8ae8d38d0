// How things stand: what lies where, is anybody filing, what wants to be looked at.

import { make, moment, number } from "./dom.js";

/** Sentences that somebody should read. Pure. @param {any} now @returns {string[]} */
export function notices(now) {
  const status = now?.status ?? {};
  return [
    ...(status.live?.attention ?? []),
    ...(status.drift?.notable ?? []),
    ...(status.last_error ? [`Last error: ${status.last_error}`] : []),
    ...(status.model_problem ? [status.model_problem] : []),
  ];
}

/** In the header. Pure. @param {any} now */
export function alive(now) {
  const status = now?.status;
  if (!status) return "";
  if (!status.daemon?.alive) return "nobody files (start `imgsort run`)";
  const waiting = Number(status.live?.waiting ?? 0);
  return `${status.live?.state ?? "running"}, v${status.model?.version ?? "?"}, ${number(waiting)} waiting`;
}

export class StatusScreen {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.inside = make("div", { class: "page-inside" });
    this.element = make("section", { class: "page", tabIndex: 0, "aria-label": "Status" }, this.inside);
  }

  async open() {
    this.stands();
    await this.app.refresh();
  }

  close() {}

  command() {
    return false;
  }

  stands() {
    const { now } = this.app;
    if (!now) return;
    const told = notices(now);
    this.inside.replaceChildren(
      make("h1", { text: "Status" }),
      ...told.map((text) => make("p", { class: "notice", text })),
      make("dl", { class: "facts" }, ...facts(now).flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })])));
  }
}

/** @param {any} now @returns {[string, string][]} */
function facts(now) {
  const { status } = now;
  const folders = status.log?.folders ?? {};
  const gone = Object.values(folders.gone ?? {}).reduce((/** @type {number} */ sum, one) => sum + Number(one), 0);
  return [
    ["Workspace", now.root ?? status.workspace],
    ["In class folders", `${number(folders.sorted)}, ${number(folders.labelled)} of them by your word`],
    ["Unsure", number(folders.unsure)],
    ["Rejected", number(folders.rejected)],
    ["Gone from their folders", number(gone)],
    ["Filing", status.daemon.alive ? `${status.live?.state ?? "running"} since ${moment(status.live?.since)}, ${(status.live?.images_per_second ?? 0).toFixed(1)} pictures a second over the last minute` : "nobody files: start `imgsort run`"],
    ["Waiting in the inbox", status.live ? status.live.queue : "–"],
    ["Model", status.model ? `v${status.model.version} (${status.model.backbone}), ${number(status.model.classes)} classes` : status.model_problem ?? "none"],
    ["Last picture", moment(status.log?.last_arrival)],
    ["Disk", `${(status.disk.free_bytes / 1e9).toFixed(1)} GB free of ${(status.disk.total_bytes / 1e9).toFixed(1)} GB`],
  ];
}
