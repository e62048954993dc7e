// Grafana's dashboards as data: a few kinds of panels, laid out in rows from left to right.

/** What a panel asks for. */
export interface Query {
  readonly expr: string;
  /** `{{rpc_method}}` */
  readonly legend?: string;
  /** Asks for the newest value only. */
  readonly instant?: boolean;
}

/** A unit of Grafana. */
export type Unit = "s" | "reqps" | "percentunit" | "bytes" | "short" | "dateTimeFromNow";

export interface Panel {
  readonly title: string;
  readonly kind: "timeseries" | "stat" | "table";
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of 24. Default: 12. */
  readonly width?: number;
  /** Default: 8. */
  readonly height?: number;
  readonly description?: string;
  /** A line from which on it is bad. */
  readonly limit?: number;
  /** Dots that lead to traces, on histograms. */
  readonly exemplars?: boolean;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A variable whose values Prometheus knows. */
export interface Variable {
  readonly name: string;
  /** `label_values(up, service)` */
  readonly query: string;
  readonly label: string;
}

export interface Dashboard {
  /** The last part of its address and of its file's name. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables?: readonly Variable[];
  readonly rows: readonly Row[];
}

const datasource = { type: "prometheus", uid: `\${datasource}` };

/** A dashboard as Grafana reads it. */
export function dashboardJson(dashboard: Dashboard): string {
  const { name, title, description, variables = [], rows } = dashboard;
  return `${JSON.stringify(
    {
      uid: `docket-${name}`,
      title: `Docket: ${title}`,
      description,
      tags: ["docket"],
      schemaVersion: 41,
      editable: false,
      graphTooltip: 1,
      refresh: "1m",
      time: { from: "now-6h", to: "now" },
      links: [
        { type: "dashboards", tags: ["docket"], title: "Docket", asDropdown: true, includeVars: true, keepTime: true },
      ],
      templating: { list: [source, ...variables.map(variableJson)] },
      panels: layOut(rows),
    },
    undefined,
    2,
  )}\n`;
}

const source = { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" };

function variableJson({ name, query, label }: Variable) {
  return { name, label, type: "query", datasource, query: { query, refId: name }, refresh: 2, sort: 1 };
}

function layOut(rows: readonly Row[]) {
  const panels: unknown[] = [];
  let id = 1;
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: id++,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: 24, h: 1 },
      panels: [],
    });
    let x = 0;
    let tallest = 0;
    for (const panel of row.panels) {
      const { width = 12, height = 8 } = panel;
      if (x + width > 24) {
        y += tallest;
        x = 0;
        tallest = 0;
      }
      panels.push(panelJson(panel, id++, { x, y, w: width, h: height }));
      x += width;
      tallest = Math.max(tallest, height);
    }
    y += tallest;
  }
  return panels;
}

function panelJson(panel: Panel, id: number, gridPos: object) {
  const { title, kind, unit, queries, description, limit, exemplars = false } = panel;
  const steps = [{ color: "green", value: null }, ...(limit === undefined ? [] : [{ color: "red", value: limit }])];
  return {
    id,
    type: kind,
    title,
    ...(description === undefined ? {} : { description }),
    datasource,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        ...(kind === "table" ? {} : { min: 0 }),
        thresholds: { mode: "absolute", steps },
        custom: limit === undefined || kind !== "timeseries" ? {} : { thresholdsStyle: { mode: "line" } },
      },
      overrides: [],
    },
    options:
      kind === "timeseries" ? { legend: { displayMode: "table", placement: "bottom", calcs: ["mean", "max"] } } : {},
    ...(kind === "table" && { transformations: [{ id: "merge", options: {} }] }),
    targets: queries.map(({ expr, legend, instant = kind !== "timeseries" }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource,
      expr,
      legendFormat: legend ?? "__auto",
      ...(instant
        ? { instant: true, range: false, format: kind === "table" ? "table" : "time_series" }
        : { range: true }),
      ...(exemplars && { exemplar: true }),
    })),
  };
}
