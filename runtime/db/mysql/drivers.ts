/** MikroORM's drivers for MySQL and MariaDB, with columns for bytes and texts that hold as much as SQLite's do. */
import type { Configuration, Platform } from "@mikro-orm/core";
import { MariaDbDriver } from "@mikro-orm/mariadb";
import { MySqlDriver } from "@mikro-orm/mysql";
import type { AbstractSqlPlatform } from "@mikro-orm/sql";

function adapt(platform: Platform): void {
  // MySQL's own kinds end at 64 KiB; these take 16 MiB.
  platform.getBlobDeclarationSQL = () => "mediumblob";
  platform.getTextTypeDeclarationSQL = () => "mediumtext";
  // An entity's default of a bigint is '0' and the server's 0, which would differ for ever.
  const helper = (platform as AbstractSqlPlatform).getSchemaHelper() as unknown as {
    normalizeDefaultValue: (value: unknown, length?: number) => unknown;
  };
  const normalize = helper.normalizeDefaultValue.bind(helper);
  helper.normalizeDefaultValue = (value, length) => {
    const normal = normalize(value, length);
    return typeof normal === "string" ? normal.replace(/^'(-?\d+)'$/, "$1") : normal;
  };
}

class LargeMySqlDriver extends MySqlDriver {
  constructor(config: Configuration) {
    super(config);
    adapt(this.platform);
  }
}

class LargeMariaDbDriver extends MariaDbDriver {
  constructor(config: Configuration) {
    super(config);
    adapt(this.platform);
  }
}

export const drivers = { mysql: LargeMySqlDriver, mariadb: LargeMariaDbDriver } as const;
