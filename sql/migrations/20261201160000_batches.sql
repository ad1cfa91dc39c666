-- Calls that are handed in as batches: cheaper, and answered within a day. Such a call outlives the process that
-- made it: it waits, neither lost nor settled, and what it may cost stays reserved.

ALTER TABLE public.ai_calls
    ADD COLUMN batch   text,
    ADD COLUMN address text,
    ADD COLUMN made    text,
    ADD COLUMN is_used boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT ai_calls_status_check,
    DROP CONSTRAINT ai_calls_check,
    ADD CONSTRAINT ai_calls_status_check CHECK (status IN ('reserved', 'waiting', 'settled', 'lost')),
    ADD CONSTRAINT ai_calls_check CHECK ((status IN ('reserved', 'waiting')) = (cost_usd IS NULL));
COMMENT ON COLUMN public.ai_calls.status IS
    'waiting: handed in as a batch. lost: its process ended before it was settled, or nobody wants its answer any more, so the whole reservation counts as spent.';
COMMENT ON COLUMN public.ai_calls.batch IS
    'What the service calls the batch; null while a call waits: its process ended before the service said so.';
COMMENT ON COLUMN public.ai_calls.address IS 'Of the service that has the batch.';
COMMENT ON COLUMN public.ai_calls.made IS
    'Digest of code, settings and inputs of the cell that waits for the batch.';
COMMENT ON COLUMN public.ai_calls.is_used IS
    'Its cell has a result that was made of its answer: the same question need not be asked again.';

-- What is out: few. Each cell looks for its own.
CREATE INDEX ai_calls_waiting ON public.ai_calls (file_checksum, asset) WHERE status = 'waiting';

CREATE OR REPLACE FUNCTION private.settle_ai_call(
    _call uuid, _outcome text, _usd numeric, _input_tokens bigint, _cached_tokens bigint, _output_tokens bigint,
    _latency_s double precision, _error text, _answer json
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.lock_ai_calls();
    UPDATE public.ai_calls AS a
       SET status = 'settled', outcome = _outcome, cost_usd = _usd, input_tokens = _input_tokens,
           cached_tokens = _cached_tokens, output_tokens = _output_tokens, latency_s = _latency_s,
           error = _error, answer = _answer, settled_at = clock_timestamp()
     WHERE a.id = _call AND a.status IN ('reserved', 'waiting');
END
$$;
