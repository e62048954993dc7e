// After each test of the portal: its pages are closed, and it fails when one of them logged a problem.

import { afterAll, afterEach } from "@jest/globals";
import { endBrowser, endLooks } from "./world.ts";

afterEach(endLooks);
afterAll(endBrowser);
