import { Migration } from "@mikro-orm/migrations";

const newest =
  "v.workspace_id = document.workspace_id and v.document_id = document.id and v.number = document.last_number";
const listed = "d.workspace_id = listing.workspace_id and d.id = listing.document_id";
const named = (extensions: string): string =>
  `(${extensions
    .split(" ")
    .map((extension) => `v.file_name like '%.${extension}'`)
    .join(" or ")})`;
const generic = "v.media_type in ('', 'application/octet-stream', 'binary/octet-stream')";
const kind = `case
  when v.media_type like 'application/pdf%' then 1
  when v.media_type like 'application/msword%' or v.media_type like 'application/rtf%' or v.media_type like 'text/rtf%'
    or v.media_type like 'application/vnd.ms-%' or v.media_type like 'application/vnd.oasis.opendocument.%'
    or v.media_type like 'application/vnd.openxmlformats-officedocument.%' then 6
  when v.media_type like 'image/%' then 2
  when v.media_type like 'audio/%' then 4
  when v.media_type like 'video/%' then 5
  when v.media_type like 'text/%' or v.media_type like '%+json' or v.media_type like '%+xml'
    or v.media_type in ('application/json', 'application/xml', 'application/javascript', 'application/yaml') then 3
  when not ${generic} then 7
  when ${named("pdf")} then 1
  when ${named("png jpg jpeg gif webp avif bmp tif tiff svg")} then 2
  when ${named("txt md markdown csv tsv log json xml html css js ts yaml yml py go rs java c cpp sql sh")} then 3
  when ${named("mp3 m4a aac ogg opus wav flac")} then 4
  when ${named("mp4 m4v mov avi mkv webm")} then 5
  when ${named("doc docx odt rtf xls xlsx ods ppt pptx odp")} then 6
  else 7 end`;

export class Migration20261121140453_sizes_and_kinds extends Migration {
  override up(): void {
    this.addSql("alter table `document` add column `size` bigint not null default '0'");
    this.addSql("alter table `document` add column `kind` integer not null default 0");
    this.addSql("alter table `listing` add column `size` bigint not null default '0'");
    this.addSql("alter table `listing` add column `kind` integer not null default 0");
    // What was there before is sized and sorted by its newest version, by the rules of domain/kind.ts as they were then.
    this.addSql(`update document set
      size = coalesce((select v.size from version as v where ${newest}), 0),
      kind = coalesce((select ${kind} from version as v where ${newest}), 7)`);
    this.addSql(`update listing set
      size = coalesce((select d.size from document as d where ${listed}), 0),
      kind = coalesce((select d.kind from document as d where ${listed}), 7)`);
    this.addSql(
      "create index `document_folder_size` on `document` (`workspace_id`, `folder_id`, `state`, `size`, `id`)",
    );
    this.addSql("create index `document_size` on `document` (`workspace_id`, `state`, `size`, `id`)");
    this.addSql(
      "create index `document_folder_kind_title` on `document` (`workspace_id`, `folder_id`, `state`, `kind`, `title_key`, `id`)",
    );
    this.addSql(
      "create index `document_folder_kind_newest` on `document` (`workspace_id`, `folder_id`, `state`, `kind`, `updated_at`, `id`)",
    );
    this.addSql(
      "create index `document_folder_kind_size` on `document` (`workspace_id`, `folder_id`, `state`, `kind`, `size`, `id`)",
    );
    this.addSql(
      "create index `document_kind_title` on `document` (`workspace_id`, `state`, `kind`, `title_key`, `id`)",
    );
    this.addSql(
      "create index `document_kind_newest` on `document` (`workspace_id`, `state`, `kind`, `updated_at`, `id`)",
    );
    this.addSql("create index `document_kind_size` on `document` (`workspace_id`, `state`, `kind`, `size`, `id`)");
    this.addSql(
      "create index `listing_size` on `listing` (`workspace_id`, `list_key`, `state`, `size`, `document_id`)",
    );
    this.addSql(
      "create index `listing_kind_title` on `listing` (`workspace_id`, `list_key`, `state`, `kind`, `title_key`, `document_id`)",
    );
    this.addSql(
      "create index `listing_kind_newest` on `listing` (`workspace_id`, `list_key`, `state`, `kind`, `updated_at`, `document_id`)",
    );
    this.addSql(
      "create index `listing_kind_size` on `listing` (`workspace_id`, `list_key`, `state`, `kind`, `size`, `document_id`)",
    );
  }

  override down(): void {
    this.addSql("drop index `listing_kind_size`");
    this.addSql("drop index `listing_kind_newest`");
    this.addSql("drop index `listing_kind_title`");
    this.addSql("drop index `listing_size`");
    this.addSql("drop index `document_kind_size`");
    this.addSql("drop index `document_kind_newest`");
    this.addSql("drop index `document_kind_title`");
    this.addSql("drop index `document_folder_kind_size`");
    this.addSql("drop index `document_folder_kind_newest`");
    this.addSql("drop index `document_folder_kind_title`");
    this.addSql("drop index `document_size`");
    this.addSql("drop index `document_folder_size`");
    this.addSql("alter table `listing` drop column `kind`");
    this.addSql("alter table `listing` drop column `size`");
    this.addSql("alter table `document` drop column `kind`");
    this.addSql("alter table `document` drop column `size`");
  }
}
