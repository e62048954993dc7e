import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";

/** A typed client of one of the contract's services. Pages do not call it: each service has its composable. */
export function useClient<Service extends DescService>(service: Service): Client<Service> {
  return createClient(service, useNuxtApp().$transport);
}
