//! What a world asks for, said once: from it follow the short path for plain systems, which theory
//! applies, whether anything can fail, and what has to be kept while it runs.

mod found;

/// Whether a world has each of these anywhere in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Several groups of clients.
    pub several_sources: bool,
    /// Recorded arrivals.
    pub traces: bool,
    /// Users who wait for their answer.
    pub closed_loops: bool,
    /// Rates that change by plan.
    pub changing_rates: bool,
    /// Clients that hold sessions.
    pub sessions: bool,
    /// Requests of different sizes at servers where sizes count.
    pub sizes: bool,
    /// Time on the way from clients to balancers.
    pub ways_to_balancers: bool,
    /// Several services.
    pub several_services: bool,
    /// A strategy that sees what no balancer can.
    pub oracles: bool,
    /// A strategy that probes servers.
    pub probes: bool,
    /// A strategy that hears from servers that become idle.
    pub idle_news: bool,
    /// A strategy that reads what servers say of themselves in answers.
    pub feedback: bool,
    /// A strategy that reads the reports of monitoring agents.
    pub reports: bool,
    /// A strategy whose picks may depend on how long requests take.
    pub heeded_answers: bool,
    /// Several balancers in front of one service.
    pub several_balancers: bool,
    /// Balancers that do not send to all members.
    pub scopes: bool,
    /// Balancers that are those of one caller each.
    pub own_balancers: bool,
    /// Clients that are bound by cookies.
    pub cookies: bool,
    /// Attempts that are given up.
    pub timeouts: bool,
    /// Balancers that make a limited number of retries.
    pub budgets: bool,
    /// Attempts beside others.
    pub hedges: bool,
    /// Clients that give up, or try again.
    pub impatience: bool,
    /// Requests that give up waiting at a balancer.
    pub queue_timeouts: bool,
    /// Members that stand by or get nothing: backups, marked as down, of weight 0.
    pub idle_members: bool,
    /// Members marked as down.
    pub down_members: bool,
    /// Members with a limit of requests at once.
    pub limited_members: bool,
    /// Servers that share themselves among all who are there.
    pub sharing: bool,
    /// Servers at which somebody may pass those who came before.
    pub passing: bool,
    /// Servers whose discipline keeps who waits in an order of its own.
    pub own_queues: bool,
    /// Servers that drop who waits.
    pub drops: bool,
    /// Deadlines that travel.
    pub deadlines: bool,
    /// Limits of what is let in.
    pub limits: bool,
    /// Of these, some of each client.
    pub client_limits: bool,
    /// Clients that mean harm.
    pub hostile: bool,
    /// Queues with an end.
    pub queue_limits: bool,
    /// Groups of one service at which a request is unlike work.
    pub unlike_work: bool,
    /// Servers that do more for a request than its own work: calls, further work.
    pub steps: bool,
    /// Health checks.
    pub health_checks: bool,
    /// Health checks that a server may be too busy for.
    pub busy_checks: bool,
    /// Balancers that leave out who answers badly.
    pub ejections: bool,
    /// A strategy that does so by its own rule.
    pub rules_that_notice: bool,
    /// Balancers that send to all where too few are well.
    pub panics: bool,
    /// Members that come back little by little.
    pub slow_starts: bool,
    /// Time on the way from balancers to servers.
    pub ways_to_servers: bool,
    /// Servers that are cold when they have started.
    pub cold_starts: bool,
    /// Of these, some that get warm with the requests that they serve.
    pub warming: bool,
    /// Servers whose answers take longer, or are errors, when many are there.
    pub under_load: bool,
    /// Of these, some whose answers are errors then.
    pub errors_by_load: bool,
    /// Errors of one key alone.
    pub errors_by_key: bool,
    /// Connections that requests for each key have for themselves.
    pub connections_by_key: bool,
    /// Calls of which not all are waited for.
    pub quorums: bool,
    /// What is paid by the byte, or by the requests that come to balancers.
    pub paid_traffic: bool,
    /// Servers that autoscalers order and remove.
    pub autoscalers: bool,
    /// Servers that are not there from the beginning to the end of time.
    pub members_that_move: bool,
    /// Servers that join or leave during the run.
    pub moves_in_the_run: bool,
    /// Servers that are not there at the start, or leave before the end of the run.
    pub absences_in_the_run: bool,
    /// Faults.
    pub faults: bool,
    /// Faults of balancers.
    pub balancer_faults: bool,
    /// Faults of the ways between places.
    pub way_faults: bool,
    /// Rolling restarts whose turns take no longer than they must.
    pub turns_with_grace: bool,
    /// Faults that can begin before the end of the run.
    pub faults_in_the_run: bool,
    /// Such faults at given times.
    pub planned_faults_in_the_run: bool,
}

impl Features {
    /// Whether this is a plain system: requests from open sources go at once to a server of one
    /// pool, wait there for a slot, and are answered. Their order may be another.
    pub fn is_plain(&self) -> bool {
        let Features {
            several_sources: _,
            traces: _,
            closed_loops,
            changing_rates: _,
            sessions,
            sizes: _,
            ways_to_balancers,
            several_services,
            oracles,
            probes,
            idle_news,
            feedback,
            reports,
            heeded_answers: _,
            several_balancers,
            own_balancers,
            scopes,
            cookies,
            timeouts,
            budgets,
            hedges,
            impatience,
            // Without limits nobody waits at a balancer.
            queue_timeouts: _,
            idle_members: _,
            down_members: _,
            limited_members,
            sharing,
            own_queues,
            drops: _,
            passing: _,
            // Clients that give up have them.
            deadlines: _,
            limits,
            // They are limits.
            client_limits: _,
            hostile,
            queue_limits,
            unlike_work: _,
            steps,
            health_checks,
            busy_checks: _,
            ejections,
            // In a plain system nothing fails.
            rules_that_notice: _,
            // Nobody is thought to be ill without checks and ejections.
            panics: _,
            slow_starts: _,
            ways_to_servers,
            // Without faults and members that move nobody starts.
            cold_starts: _,
            warming: _,
            under_load,
            errors_by_load: _,
            // They are faults.
            errors_by_key: _,
            // These are limits, and those are steps.
            connections_by_key: _,
            quorums: _,
            paid_traffic,
            // Their servers move.
            autoscalers: _,
            members_that_move,
            moves_in_the_run: _,
            absences_in_the_run: _,
            faults,
            balancer_faults: _,
            way_faults: _,
            turns_with_grace: _,
            faults_in_the_run: _,
            planned_faults_in_the_run: _,
        } = *self;
        ![
            closed_loops,
            sessions,
            ways_to_balancers,
            several_services,
            oracles,
            probes,
            idle_news,
            feedback,
            reports,
            several_balancers,
            own_balancers,
            scopes,
            cookies,
            timeouts,
            budgets,
            hedges,
            impatience,
            limited_members,
            sharing,
            own_queues,
            limits,
            hostile,
            queue_limits,
            steps,
            health_checks,
            ejections,
            ways_to_servers,
            under_load,
            paid_traffic,
            members_that_move,
            faults,
        ]
        .contains(&true)
    }

    /// Whether this is a plain system in which a request's fate is sealed when it comes: it is sent
    /// somewhere whatever became of others, and whoever comes later never goes before it.
    pub fn is_foregone(&self) -> bool {
        self.is_plain() && !self.heeded_answers && !self.passing
    }

    /// Whether balancers have policies besides timeouts and retries.
    pub fn policies(&self) -> bool {
        self.budgets || self.deadlines || self.limits || self.ejections || self.hedges
    }

    /// Whether balancers have opinions of their members: who is well, who has been back for how
    /// long.
    pub fn has_opinions(&self) -> bool {
        self.health_checks || self.ejections || self.slow_starts
    }

    /// Whether these opinions may change while it runs.
    pub fn detections(&self) -> bool {
        let by_rule = self.rules_that_notice && self.may_fail() && !self.is_plain();
        (self.health_checks || self.ejections || by_rule)
            && (self.faults_in_the_run || self.ejections || self.busy_checks || by_rule)
    }

    /// Whether nobody but a strategy looks at who asks for what: no cookie, session, user or call.
    pub fn only_rules_see_requests(&self) -> bool {
        !(self.sessions
            || self.cookies
            || self.closed_loops
            || self.steps
            || self.errors_by_key
            || self.client_limits
            || self.connections_by_key
            || self.several_balancers)
    }

    /// Whether a request may be refused, lost or given up.
    pub fn may_fail(&self) -> bool {
        self.faults_in_the_run
            || self.timeouts
            || self.impatience
            || self.queue_timeouts
            || self.idle_members
            || self.limited_members
            || self.queue_limits
            || self.limits
            || self.drops
            || self.errors_by_load
            || self.busy_checks
            || self.ejections
    }

    /// Whether servers may work in vain, and it can be told how long.
    pub fn wastes(&self) -> bool {
        (self.may_fail() || self.hedges || self.quorums) && !self.is_plain() && !self.sharing
    }

    /// Whether nothing is meant to change while the run is measured.
    pub fn is_steady(&self) -> bool {
        !(self.traces
            || self.changing_rates
            || self.planned_faults_in_the_run
            || self.moves_in_the_run)
    }

    /// Whether there is nothing but what textbooks have: one group of clients, one service, no way,
    /// no limit, no stickiness, nobody who leaves.
    pub fn is_in_textbooks(&self) -> bool {
        !(self.several_sources
            || self.several_services
            || self.scopes
            || self.ways_to_balancers
            || self.ways_to_servers
            || self.queue_limits
            || self.limits
            || self.hostile
            || self.sizes
            || self.steps
            || self.under_load
            || self.absences_in_the_run
            || self.down_members
            || self.timeouts
            || self.impatience
            || self.hedges
            || self.cookies
            || self.busy_checks
            || self.ejections
            || self.faults_in_the_run)
    }
}
