// The documents of Harbour Works, a firm of engineers that looks after quays and cranes. Firm, people and figures are
// invented; texts, drawings, pictures and sounds in `files/` were made for this.

import type { DemoDocument } from "./shape.ts";

const quay = "Quays/Quay 4 renewal";
const drawings = `${quay}/Drawings`;
const photographs = `${quay}/Site photographs`;
const inspections = "Cranes/Inspections";

/** Every folder, those above before those in them. */
export const folders: readonly string[] = [
  "Quays",
  quay,
  drawings,
  photographs,
  "Cranes",
  inspections,
  "Contracts",
  "Safety",
  "Office",
];

/** The order is that of making: the last ones are the newest. */
export const documents: readonly DemoDocument[] = [
  {
    title: "Letterhead",
    folder: "Office",
    tags: ["template"],
    versions: [{ by: "anna", file: "letterhead.svg" }],
  },
  {
    title: "Parking plan",
    folder: "Office",
    versions: [{ by: "anna", file: "parking-plan.svg", note: "From before the move to pier house 2." }],
    trashed: true,
  },
  {
    title: "Note to self",
    folder: "",
    versions: [{ by: "anna", file: "note-to-self.txt" }],
    trashed: true,
  },
  {
    title: "Hours and rates",
    folder: "Office",
    tags: ["budget"],
    versions: [
      { by: "anna", file: "hours-and-rates.1.xlsx" },
      { by: "anna", file: "hours-and-rates.2.xlsx", note: "With November." },
    ],
  },
  {
    title: "Maintenance database",
    folder: "Office",
    tags: ["code"],
    versions: [{ by: "ben", file: "maintenance.sql" }],
  },
  {
    title: "Lifting signals",
    folder: "Safety",
    tags: ["safety", "cranes"],
    versions: [{ by: "ben", file: "lifting-signals.png", label: "for the cabin wall" }],
  },
  {
    title: "Toolbox talk: working near water",
    folder: "Safety",
    tags: ["safety"],
    versions: [
      { by: "ben", file: "toolbox-talk.1.md" },
      { by: "anna", file: "toolbox-talk.2.md", note: "Throw bags have moved to the yellow boxes." },
    ],
  },
  {
    title: "Evacuation signal",
    folder: "Safety",
    tags: ["safety"],
    versions: [{ by: "anna", file: "evacuation-signal.mp3", note: "Three long tones. Tested every first Monday." }],
  },
  {
    title: "Framework agreement with the port",
    folder: "Contracts",
    tags: ["contract"],
    versions: [
      { by: "anna", file: "framework-agreement.1.pdf", label: "draft" },
      { by: "ben", file: "framework-agreement.2.pdf", label: "draft 2", note: "Response times in section 4." },
      {
        by: "anna",
        file: "framework-agreement.3.pdf",
        label: "for signature",
        note: "Prices as agreed on 3 November.",
      },
      { by: "anna", file: "framework-agreement.4.pdf", label: "signed", note: "Signed by both sides on 14 November." },
    ],
    comments: [
      { by: "ben", body: "Section 4 promises somebody on the quay within two hours, at night too. Can we hold that?" },
      { by: "anna", body: "With the new rota, yes. I have asked the port to count from the call, not from the fault." },
      { by: "ben", body: "Then I am happy with it." },
    ],
  },
  {
    title: "Offer for cylindrical fenders",
    folder: "Contracts",
    tags: ["offer", "quay 4"],
    versions: [{ by: "anna", file: "offer-fenders.docx" }],
  },
  {
    title: "Insurance certificates",
    folder: "Contracts",
    tags: ["contract"],
    versions: [{ by: "anna", file: "insurance-certificates.zip" }],
  },
  {
    title: "Crane register",
    folder: "Cranes",
    tags: ["cranes"],
    versions: [
      { by: "ben", file: "crane-register.1.csv" },
      { by: "ben", file: "crane-register.2.csv", note: "Crane 9 has been sold." },
    ],
  },
  {
    title: "Crane 7 general arrangement",
    folder: "Cranes",
    tags: ["cranes", "drawing"],
    versions: [{ by: "ben", file: "crane-7-arrangement.pdf", label: "as built" }],
  },
  {
    title: "Crane 7 at work",
    folder: "Cranes",
    tags: ["cranes", "photograph"],
    versions: [{ by: "ben", file: "crane-7-at-work.jpg" }],
  },
  {
    title: "Telemetry of crane 7",
    folder: "Cranes",
    tags: ["cranes", "code"],
    versions: [{ by: "ben", file: "telemetry.yaml" }],
  },
  {
    title: "Inspection checklist",
    folder: inspections,
    tags: ["template", "cranes"],
    versions: [{ by: "ben", file: "inspection-checklist.docx", label: "2026" }],
  },
  {
    title: "Crane 7 inspection 2026",
    folder: inspections,
    tags: ["cranes", "report"],
    versions: [
      { by: "ben", file: "crane-7-inspection.1.pdf", label: "as found" },
      { by: "ben", file: "crane-7-inspection.2.pdf", label: "final", note: "Brake measured again after the repair." },
    ],
    comments: [{ by: "anna", body: "Table 2 now agrees with what you told me on the phone. Thank you." }],
  },
  {
    title: "Wire rope measurements",
    folder: inspections,
    tags: ["cranes", "measurements"],
    versions: [{ by: "ben", file: "wire-rope.csv" }],
  },
  {
    title: "Hoist gearbox at full load",
    folder: inspections,
    tags: ["cranes", "measurements"],
    versions: [{ by: "ben", file: "hoist-gearbox.wav", note: "Recorded at the bearing, 12 t on the hook." }],
    comments: [{ by: "ben", body: "Listen from second 2: the hum gets a beat once the load is off the ground." }],
  },
  {
    title: "Wind log",
    folder: inspections,
    tags: ["measurements"],
    versions: [{ by: "ben", file: "wind.txt" }],
  },
  {
    title: "Harbour overview",
    folder: "Quays",
    tags: ["drawing"],
    versions: [{ by: "anna", file: "harbour-overview.svg" }],
  },
  {
    title: "Tide table November",
    folder: "Quays",
    tags: ["measurements"],
    versions: [{ by: "anna", file: "tide-table.csv" }],
  },
  {
    title: "Fender detail",
    folder: drawings,
    tags: ["drawing", "quay 4"],
    versions: [{ by: "anna", file: "fender-detail.pdf" }],
  },
  {
    title: "Bollard layout",
    folder: drawings,
    tags: ["drawing", "quay 4"],
    versions: [{ by: "anna", file: "bollard-layout.svg" }],
  },
  {
    title: "Quay 4 cross-section",
    folder: drawings,
    tags: ["drawing", "quay 4"],
    versions: [
      { by: "anna", file: "cross-section.1.svg", label: "A" },
      { by: "ben", file: "cross-section.2.svg", label: "B", note: "Anchors 2 m lower, to clear the old drain." },
      { by: "anna", restores: 1, note: "The old drain is blind: back to the anchors of drawing A." },
    ],
    comments: [
      { by: "ben", body: "Before we drill: is the drain that we avoid here still in use?" },
      { by: "anna", body: "Dye test on Tuesday says no. I have gone back to A." },
    ],
  },
  {
    title: "Quay 4 at dawn",
    folder: photographs,
    tags: ["photograph", "quay 4"],
    versions: [{ by: "anna", file: "quay-4-at-dawn.jpg" }],
  },
  {
    title: "Sheet piles, north end",
    folder: photographs,
    tags: ["photograph", "quay 4"],
    versions: [{ by: "ben", file: "sheet-piles.webp" }],
  },
  {
    title: "Concrete core 12",
    folder: photographs,
    tags: ["photograph", "quay 4", "measurements"],
    versions: [{ by: "ben", file: "concrete-core.webp" }],
  },
  {
    title: "Night shift",
    folder: photographs,
    tags: ["photograph"],
    versions: [{ by: "ben", file: "night-shift.jpg" }],
  },
  {
    title: "A tide at quay 4",
    folder: photographs,
    tags: ["quay 4"],
    versions: [{ by: "ben", file: "tide.mp4", note: "Twelve hours in twelve seconds." }],
  },
  {
    title: "Sheet pile calculation",
    folder: quay,
    tags: ["code", "quay 4"],
    versions: [
      { by: "anna", file: "sheet_pile.1.py" },
      { by: "ben", file: "sheet_pile.2.py", note: "Water pressure at low tide." },
    ],
  },
  {
    title: "Load cases",
    folder: quay,
    tags: ["quay 4"],
    versions: [{ by: "anna", file: "load-cases.json" }],
  },
  {
    title: "Minutes of 12 November",
    folder: quay,
    tags: ["minutes", "quay 4"],
    versions: [
      { by: "anna", file: "minutes.1.md" },
      { by: "ben", file: "minutes.2.md", note: "Point 3 as we said it." },
    ],
  },
  {
    title: "Schedule of works",
    folder: quay,
    tags: ["quay 4", "budget"],
    versions: [
      { by: "anna", file: "schedule.1.csv", label: "tender" },
      { by: "anna", file: "schedule.2.csv", note: "Divers from the second week on." },
      { by: "ben", file: "schedule.3.csv", note: "Crane 7 is away in week 50." },
      { by: "anna", file: "schedule.4.csv", note: "Concrete after the frost." },
      { by: "anna", file: "schedule.5.csv", label: "agreed", note: "As agreed with the port." },
    ],
  },
  {
    title: "Quay 4 condition report",
    folder: quay,
    tags: ["report", "quay 4"],
    versions: [
      { by: "ben", file: "condition-report.1.pdf", label: "field notes" },
      { by: "anna", file: "condition-report.2.pdf", label: "draft", note: "With the cores of the laboratory." },
      { by: "anna", file: "condition-report.3.pdf", label: "final", note: "Rest of life and what to do first." },
    ],
    comments: [
      { by: "ben", body: "Core 12 is from the north end, not the south." },
      { by: "anna", body: "Mended in the final one, in table 1 and on the drawing." },
    ],
  },
  {
    title: "Welcome to Harbour Works",
    folder: "",
    tags: ["start here"],
    versions: [
      { by: "anna", file: "welcome.1.md" },
      { by: "anna", file: "welcome.2.md", note: "Where things are." },
    ],
  },
];

/** Said on the last document when all is there: whoever finds it need not look for the rest. */
export const finished = {
  on: "Welcome to Harbour Works",
  comment: { by: "anna", body: "Everything is in its place. The condition report of quay 4 is a good beginning." },
} as const;
