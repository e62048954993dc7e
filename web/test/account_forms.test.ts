import { Code, type ConnectRouter } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { flushPromises } from "@vue/test-utils";
import { describe, expect, it, vi } from "vitest";
import SignInForm from "~/components/account/SignInForm.vue";
import SignUpForm from "~/components/account/SignUpForm.vue";
import { anna, harbour, openPortal, refusal, requestsOf } from "./portal.ts";

type Form = Awaited<ReturnType<Awaited<ReturnType<typeof openPortal>>["mount"]>>;

async function fill(form: Form, values: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await form.find(`input[name="${name}"]`).setValue(value);
}

async function send(form: Form): Promise<void> {
  await form.find("form").trigger("submit");
  for (let turn = 0; turn < 20; turn += 1) await flushPromises();
}

/** Nobody at first; whoever signs in or up is Anna. */
function nobodyYet(answers: { workspaceFails?: number; mail?: boolean } = {}) {
  let { workspaceFails = 0 } = answers;
  const made: (typeof harbour)[] = [];
  return (router: ConnectRouter) => {
    router.service(SessionService, {
      signIn: ({ password }) => {
        if (password === "harbour lights") return {};
        throw refusal(Reason.CREDENTIALS_INVALID, { code: Code.Unauthenticated });
      },
      signUp: () => ({ confirmationPending: answers.mail === true }),
      getSession: () => ({ user: anna, session: { id: "session" } }),
    });
    router.service(WorkspaceService, {
      listWorkspaces: () => ({ workspaces: made }),
      createWorkspace: () => {
        workspaceFails -= 1;
        if (workspaceFails >= 0) throw refusal(Reason.CONFLICT, { code: Code.Aborted });
        made.push(harbour);
        return { workspace: harbour };
      },
    });
  };
}

describe("the form to sign in", () => {
  it("says beside the password that the two do not belong together, and goes on when they do", async () => {
    await using portal = await openPortal({ visitor: null, route: "/sign-in", routes: nobodyYet() });
    const proceed = vi.fn();
    const form = await portal.mount(SignInForm, { props: { proceed } });
    await fill(form, { email: anna.email, password: "something else" });
    await send(form);
    expect(form.text()).toContain("Address and password do not belong together.");
    expect(form.find('[role="alert"]').exists()).toBe(true);
    expect(proceed).not.toHaveBeenCalled();
    await fill(form, { password: "harbour lights" });
    await send(form);
    expect(proceed).toHaveBeenCalledOnce();
  });

  it("never puts a password into an address, whether the page is alive or not", async () => {
    await using portal = await openPortal({ visitor: null, route: "/sign-in", routes: nobodyYet() });
    const form = await portal.mount(SignInForm, { props: { proceed: () => undefined } });
    expect(form.find("form").attributes("method")).toBe("post");
  });
});

describe("the form to sign up", () => {
  const values = { name: "Anna Keller", email: ` ${anna.email} `, password: "a tide at quay 4" };

  it("makes the first account and its workspace in one go", async () => {
    await using portal = await openPortal({ visitor: null, route: "/sign-up", routes: nobodyYet() });
    const form = await portal.mount(SignUpForm, { props: { withWorkspace: true } });
    await fill(form, { ...values, organization: "Harbour Works" });
    await send(form);
    expect(requestsOf(portal.calls, SessionService.method.signUp)).toMatchObject([
      { displayName: "Anna Keller", email: anna.email, password: values.password },
    ]);
    expect(requestsOf(portal.calls, WorkspaceService.method.createWorkspace)).toMatchObject([
      { name: "Harbour Works" },
    ]);
  });

  it("does not sign up twice where only the workspace failed", async () => {
    await using portal = await openPortal({
      visitor: null,
      route: "/sign-up",
      routes: nobodyYet({ workspaceFails: 1 }),
    });
    const form = await portal.mount(SignUpForm, { props: { withWorkspace: true } });
    await fill(form, { ...values, organization: "Harbour Works" });
    await send(form);
    expect(form.find('[role="alert"]').exists()).toBe(true);
    await send(form);
    expect(requestsOf(portal.calls, SessionService.method.signUp)).toHaveLength(1);
    const asked = requestsOf(portal.calls, WorkspaceService.method.createWorkspace);
    expect(asked).toHaveLength(2);
    expect(asked[0]?.requestId).toBe(asked[1]?.requestId);
  });

  it("says that a mail is on its way, where one must be opened first", async () => {
    await using portal = await openPortal({ visitor: null, route: "/sign-up", routes: nobodyYet({ mail: true }) });
    const form = await portal.mount(SignUpForm, { props: { invitationSecret: "secret" } });
    await fill(form, values);
    await send(form);
    expect(form.emitted("mailed")).toEqual([[anna.email]]);
    expect(requestsOf(portal.calls, SessionService.method.signUp)[0]?.invitationSecret).toBe("secret");
    expect(requestsOf(portal.calls, SessionService.method.getSession)).toEqual([]);
  });
});
