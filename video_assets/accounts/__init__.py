"""Who asks: accounts of a Supabase project, and the session that is kept of one."""
