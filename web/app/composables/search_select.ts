/** What a SearchSelect offers. */
export interface SearchSelectItem {
  readonly value: string;
  readonly label: string;
  /** The heading above it; items of a group follow each other. */
  readonly group?: string;
  /** Whether it is shown, but cannot be chosen. */
  readonly disabled?: boolean;
}
