import { Migration } from "@mikro-orm/migrations";

export class Migration20261121141025_tags extends Migration {
  override up(): void {
    this.addSql(
      "create table `tag` (`workspace_id` text not null, `tag_key` text not null, `name` text not null, `document_count` bigint not null, primary key (`workspace_id`, `tag_key`))",
    );
    this.addSql("drop index `listing_document`");
    this.addSql("create index `listing_document` on `listing` (`workspace_id`, `document_id`, `state`, `list_key`)");
    // Tags are counted over what is not in the trash, and named as one of the documents wrote them.
    this.addSql(`insert into tag (workspace_id, tag_key, name, document_count)
      select l.workspace_id, substr(l.list_key, 5), coalesce((
        select t.value from listing as o
        inner join document as d on d.workspace_id = o.workspace_id and d.id = o.document_id, json_each(d.tags) as t
        where o.workspace_id = l.workspace_id and o.list_key = l.list_key and o.state = 0
          and lower(trim(t.value)) = substr(l.list_key, 5) limit 1
      ), substr(l.list_key, 5)), count(*)
      from listing as l where l.list_key >= 'tag:' and l.list_key < 'tag;' and l.state = 0
      group by l.workspace_id, l.list_key`);
  }

  override down(): void {
    this.addSql("drop index `listing_document`");
    this.addSql("drop table if exists `tag`");
    this.addSql("create index `listing_document` on `listing` (`workspace_id`, `document_id`)");
  }
}
