// Dragging rows onto folders, onto steps of the way, and onto the sidebar. Where something may be dropped says so by
// itself: `data-drop` holds a folder's id, "root" or "trash", and `data-drop-name` what it is called.

import type { Rows } from "./merge.ts";

/** Tells dragged rows from dragged files. */
const rowsType = "application/x-docket-rows";

export interface DropPlace {
  /** A folder's id, "root" or "trash". */
  readonly place: string;
  readonly name: string;
}

/** Gives a function that begins to drag rows; `dropped` is called where they are let go. */
export function useListingDrag(words: (rows: Rows) => string, dropped: (rows: Rows, on: DropPlace) => void) {
  let ending: (() => void) | undefined;
  onBeforeUnmount(() => ending?.());

  return (event: DragEvent, rows: Rows): void => {
    const { dataTransfer } = event;
    if (dataTransfer === null || rows.length === 0) return;
    ending?.();
    dataTransfer.effectAllowed = "move";
    dataTransfer.setData(rowsType, rows.map(({ id }) => id).join());
    const picture = pictureOf(words(rows));
    dataTransfer.setDragImage(picture, -8, -8);
    setTimeout(() => picture.remove());

    const dragged = new Set(rows.map(({ id }) => id));
    const stop = new AbortController();
    const options = { signal: stop.signal };
    let over: HTMLElement | undefined;

    function mark(now: HTMLElement | undefined): void {
      if (now === over) return;
      over?.removeAttribute("data-drop-over");
      now?.setAttribute("data-drop-over", "");
      over = now;
    }
    function placeUnder(target: EventTarget | null): HTMLElement | undefined {
      const place = target instanceof Element ? target.closest<HTMLElement>("[data-drop]") : null;
      return place === null || dragged.has(place.dataset.drop ?? "") ? undefined : place;
    }
    function end(): void {
      mark(undefined);
      stop.abort();
      ending = undefined;
    }
    ending = end;

    document.addEventListener(
      "dragover",
      (move) => {
        const place = placeUnder(move.target);
        mark(place);
        if (place === undefined) return;
        move.preventDefault();
        if (move.dataTransfer) move.dataTransfer.dropEffect = "move";
      },
      options,
    );
    document.addEventListener(
      "drop",
      (drop) => {
        const place = placeUnder(drop.target);
        end();
        if (place === undefined) return;
        drop.preventDefault();
        dropped(rows, { place: place.dataset.drop ?? "", name: place.dataset.dropName ?? "" });
      },
      options,
    );
    document.addEventListener("dragend", end, options);
    // A dragged row that was scrolled out of the page tells of no end; a pointer that moves freely does.
    document.addEventListener("pointermove", end, options);
  };
}

function pictureOf(words: string): HTMLElement {
  const picture = document.createElement("div");
  picture.textContent = words;
  picture.className =
    "fixed -top-96 left-0 max-w-64 truncate rounded-md bg-inverted px-3 py-1.5 text-sm font-medium text-inverted";
  document.body.append(picture);
  return picture;
}
