// node serve.mjs PORT, in a folder that holds supabase/config.toml and .env.
//
// @supabase/lite on a Postgres, made to answer as Supabase does where the Python client notices a
// difference. Each correction fails loudly when the package no longer has what it corrects.
import "dotenv/config";
import { serve } from "@hono/node-server";

const TIMESTAMPTZ = 1184;

globalThis.WebSocket ??= class {}; // node < 22 has none, and nothing here listens
const { createApi } = await import("@supabase/lite/cli");

const port = Number(process.argv[2]);
const api = await createApi({ root: process.cwd() });
const app = await api.project.local.createApp(undefined, { admin: false });

// "2026-01-01 00:00:00+00" is no time to the client.
const parsers = found(app.connection?.driver?.options?.parsers, "parsers of the driver");
parsers[TIMESTAMPTZ] = (text) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");

// It would grant every table to everybody at the first request: the grants of the migrations hold.
found(app.connection.rlsState, "state of row level security");
app.connection.rlsState = "active";

// Node 20 reads files as ArrayBuffers, which a response does not take.
const store = found(app._storageAdapter, "storage adapter");
const read = found(store.getObject, "getObject").bind(store);
store.getObject = async (...where) => {
  const object = await read(...where);
  if (object.body) object.body = object.body.pipeThrough(asBytes());
  return object;
};

const server = serve({ port, hostname: "127.0.0.1", fetch: answer }, () => console.log("READY"));
process.on("SIGTERM", () => {
  server.close();
  process.exit(0);
});

async function answer(request, env) {
  const peerAddress = env.incoming.socket.remoteAddress ?? null;
  const response = await app.fetch(request, { peerAddress });
  const { pathname } = new URL(request.url);
  const signs = request.method === "POST" && pathname.startsWith("/storage/v1/object/sign");
  return signs && response.ok ? spelledAsSupabaseDoes(response) : response;
}

async function spelledAsSupabaseDoes(response) {
  const body = await response.json();
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const spelled = Array.isArray(body) ? body.map(signedURL) : signedURL(body);
  return new Response(JSON.stringify(spelled), { status: response.status, headers });
}

function signedURL(signed) {
  if (!signed?.signedUrl) return signed;
  return { ...signed, signedURL: signed.signedUrl.replace(/^\/storage\/v1/, "") };
}

function asBytes() {
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk instanceof Uint8Array ? chunk : new Uint8Array(chunk));
    },
  });
}

function found(what, name) {
  if (!what) throw new Error(`this @supabase/lite has no ${name}`);
  return what;
}
