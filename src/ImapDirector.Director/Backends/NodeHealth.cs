using System.Collections.Frozen;
using ImapDirector.Network;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Backends;

/// <summary>Which nodes answer: each is greeted every now and then (and somebody logged in there, where that is wanted), and what logins meet counts as well. One that fails several times in a row gets no new users, and its
/// own are refused without a try, until it has answered twice in a row.</summary>
/// <remarks>When more than half of the nodes fail at once it is more likely our own network: nothing is concluded from it then.</remarks>
internal sealed partial class NodeHealth : IAsyncDisposable
{
    // A node that is away is looked at more often, so that its users do not wait for long once it is back.
    private static readonly TimeSpan LongestWhileAway = TimeSpan.FromSeconds(1);

    private volatile DirectorOptions _options;
    private readonly BackendTlsOptions _tls;
    private readonly NodeCapabilities _capabilities;
    private readonly DirectorMetrics _metrics;
    private readonly ILogger _logger;
    // Held while nodes come and go, and while what is thought of one changes.
    private readonly Lock _lock = new();
    // Never disposed: it has no timer, and a second DisposeAsync asks it.
    private readonly CancellationTokenSource _stopping = new();
    private readonly AssertionIssuer? _assertions;
    private FrozenDictionary<string, State> _states;
    private bool _isStarted;
    private Task _checking = Task.CompletedTask;
    private int _away;

    /// <summary>All nodes count as well until they were looked at.</summary>
    public NodeHealth(DirectorOptions options, BackendTlsOptions tls, NodeCapabilities capabilities, DirectorMetrics metrics, ILogger<NodeHealth> logger, AssertionIssuer? assertions = null)
    {
        (_options, _tls, _capabilities, _metrics, _logger, _assertions) = (options, tls, capabilities, metrics, logger, assertions);
        _states = FrozenDictionary<string, State>.Empty;
        Follow(options.Nodes);
    }

    /// <summary>Other settings from the next check on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>Begins to look, as often as <see cref="DirectorOptions.NodeCheckInterval"/> says; with zero not before it says something else.</summary>
    public void Start()
    {
        lock (_lock)
        {
            _isStarted = true;
            Look(_states.Values);
        }
    }

    /// <summary>From now on these nodes and no others. What is thought of those that are still where they were stays.</summary>
    public void Follow(IReadOnlyList<BackendNode> nodes)
    {
        lock (_lock)
        {
            var (before, states) = (_states, new Dictionary<string, State>());
            foreach (var node in nodes)
            {
                var isKnown = before.TryGetValue(node.Name, out var state) && state.Node with { Weight = node.Weight, Pool = node.Pool } == node;
                states[node.Name] = isKnown ? state! : new State(node);
                if (!isKnown) _metrics.NodeHealth.WithLabels(node.Name).Set(1);
            }
            _states = states.ToFrozenDictionary();
            foreach (var state in before.Values)
            {
                if (states.GetValueOrDefault(state.Node.Name) != state) state.IsLeft = true;
                if (!states.ContainsKey(state.Node.Name)) _metrics.NodeHealth.RemoveLabelled(state.Node.Name);
            }
            _away = _states.Values.Count(static state => !state.IsWell);
            if (_isStarted) Look(_states.Values.Where(state => before.GetValueOrDefault(state.Node.Name) != state));
        }
    }

    /// <summary>Whether a login at the node is worth a try.</summary>
    public bool IsWell(BackendNode node) => Away == 0 || MostFail || !States.TryGetValue(node.Name, out var state) || state.IsWell;

    /// <summary>Those of the nodes that are well.</summary>
    public IReadOnlyList<BackendNode> WellOf(IReadOnlyList<BackendNode> nodes) => Away == 0 || MostFail ? nodes : [.. nodes.Where(IsWell)];

    /// <summary>A login has met the node.</summary>
    public void Note(BackendNode node, BackendFailure failure)
    {
        if (States.TryGetValue(node.Name, out var state) && Verdict(failure) is { } isWell) Count(state, isWell, failure);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        Task checking;
        lock (_lock)
        {
            _isStarted = false;
            checking = _checking;
        }
        await checking;
    }

    private int Away => Volatile.Read(ref _away);

    private FrozenDictionary<string, State> States => Volatile.Read(ref _states);

    private bool MostFail => Away * 2 > States.Count;

    /// <summary>What a login says about its node; nothing where it may be about the user.</summary>
    private static bool? Verdict(BackendFailure failure) => failure switch
    {
        BackendFailure.None or BackendFailure.LoginRefused or BackendFailure.Unavailable => true,
        BackendFailure.Refused or BackendFailure.Unreachable or BackendFailure.ConnectTimeout or BackendFailure.GreetingTimeout
            or BackendFailure.TlsFailed or BackendFailure.StartTlsRefused
            or BackendFailure.StartTlsInjected => false,
        _ => null,
    };

    private void Look(IEnumerable<State> states) => _checking = Task.WhenAll([_checking, .. states.Select(CheckAsync)]);

    private async Task CheckAsync(State state)
    {
        var stopping = _stopping.Token;
        try
        {
            while (!state.IsLeft)
            {
                if (_options.NodeCheckInterval == TimeSpan.Zero)
                {
                    await Task.Delay(LongestWhileAway, stopping);
                    continue;
                }
                var failure = await CheckAsync(state.Node, stopping);
                Count(state, failure == BackendFailure.None, failure);
                var pause = state.IsWell || _options.NodeCheckInterval < LongestWhileAway ? _options.NodeCheckInterval : LongestWhileAway;
                // Not all directors at once.
                await Task.Delay(pause * (1 + _options.NodeCheckJitter / 100.0 * (2 * Random.Shared.NextDouble() - 1)), stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private async Task<BackendFailure> CheckAsync(BackendNode node, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.BackendConnectTimeout);
        try
        {
            await using var connection = await Connection.ConnectAsync(BackendConnector.EndPointOf(node), limit.Token);
            var dialogue = new BackendDialogue(connection, node, _tls, _assertions);
            var failure = await dialogue.GreetAsync(null, limit.Token);
            if (failure != BackendFailure.None) return failure;
            // Our own tell whoever asks what they can do after a login, so that one where nobody has logged in yet counts with all it offers.
            if (node.IsBundled) failure = await dialogue.AskCapabilitiesAsync(limit.Token);
            if (failure != BackendFailure.None) return failure;
            _capabilities.Note(node.Name, dialogue.Capabilities, isAfterLogin: false);
            // An assertion carries an epoch, and a check has none: it would be fenced off wherever the user is, and leave a store wherever they are not.
            var isFenced = node.IsBundled && _assertions is not null;
            if (isFenced || node.Login != NodeLogin.Master || !UserName.TryCreate(_options.NodeCheckUser ?? "", _options.DefaultDomain, out var user)) return failure;
            limit.CancelAfter(_options.BackendLoginTimeout);
            var client = new ForwardedClient(connection.Id, connection.LocalEndPoint, connection.LocalEndPoint, connection.IsSecure);
            failure = await dialogue.LogInAsync(new BackendUser(user, default), client, limit.Token);
            if (failure == BackendFailure.None) _capabilities.Note(node.Name, dialogue.Capabilities, isAfterLogin: true);
            return failure;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return BackendFailure.GreetingTimeout;
        }
        catch (Exception failed) when (BackendConnector.FailureOf(failed) is { } failure)
        {
            return failure;
        }
    }

    private void Count(State state, bool isWell, BackendFailure failure)
    {
        if (!state.Count(isWell, isWell ? _options.NodeCheckRise : _options.NodeCheckFall)) return;
        lock (_lock)
        {
            // It may have been taken out meanwhile.
            if (_states.GetValueOrDefault(state.Node.Name) != state) return;
            _away = _states.Values.Count(static state => !state.IsWell);
            _metrics.NodeHealth.WithLabels(state.Node.Name).Set(isWell ? 1 : 0);
        }
        if (isWell) Log.Back(_logger, state.Node.Name);
        else Log.Lost(_logger, state.Node.Name, failure);
        if (!isWell && MostFail) Log.MostAway(_logger, Away, States.Count);
    }

    /// <summary>A node, and how often in a row it has answered, or not.</summary>
    private sealed class State(BackendNode node)
    {
        private readonly Lock _lock = new();
        private int _inARow;

        public BackendNode Node => node;

        /// <summary>The node is taken out, or is somewhere else by now.</summary>
        public volatile bool IsLeft;

        public volatile bool IsWell = true;

        /// <param name="isWell">Whether it has answered.</param>
        /// <param name="needed">How often in a row that is to be so before it counts.</param>
        /// <returns>Whether that changes what is thought of it.</returns>
        public bool Count(bool isWell, int needed)
        {
            lock (_lock)
            {
                if (isWell == IsWell)
                {
                    _inARow = 0;
                    return false;
                }
                if (++_inARow < needed) return false;
                _inARow = 0;
                IsWell = isWell;
                return true;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3311, LogLevel.Warning, "Node {Node} is away: {Failure}, several times in a row. It gets no new users, and its own are told UNAVAILABLE")]
        public static partial void Lost(ILogger logger, string node, BackendFailure failure);

        [LoggerMessage(3312, LogLevel.Information, "Node {Node} is back")]
        public static partial void Back(ILogger logger, string node);

        [LoggerMessage(3313, LogLevel.Error, "{Away} of {Nodes} nodes are away: is it this machine's network? Every login is tried until fewer are")]
        public static partial void MostAway(ILogger logger, int away, int nodes);
    }
}
