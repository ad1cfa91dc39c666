-- What `status` counts of complete clips is read from an index: a row of clips fills a quarter of a page.

-- Clips of one plan are counted as one, by a number: the plan itself may be too long for an index. Were one plan ever to
-- have two numbers, as after a move to another major version of Postgres, it would be counted in two parts and summed up.
ALTER TABLE public.clips ADD COLUMN plan_key bigint
    GENERATED ALWAYS AS (hash_array_extended(planned_steps, 0)) STORED;
COMMENT ON COLUMN public.clips.plan_key IS 'Tells plans apart without reading them.';

-- Complete clips by plan; and which of them are missing or in work again.
CREATE INDEX clips_complete ON public.clips (user_id, plan_key) INCLUDE (id, missing_since)
 WHERE processing_progress = 100;

-- The few clips that have a step which is planned no more.
CREATE INDEX clips_beyond_plan ON public.clips (user_id) WHERE processing_status - planned_steps <> '{}';
