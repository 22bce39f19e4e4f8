using ImapDirector.Director.Authentication;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Relay;
using ImapDirector.Director.Throttling;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Login;

/// <summary>What every client session works with.</summary>
internal sealed record LoginServices(DirectorOptions Options, ServerHandshake Handshake, Authenticator Authenticator, LoginProofs Proofs, LoginThrottle Throttle, CheckTurns Turns, LoginPolicy? Policy,
    UserDirectory Directory, BackendConnector Backends, NodeCapabilities Capabilities, RelayWatch Watch, LiveSessions Sessions, SessionReports Reports, NodeLosses Losses, DirectorMetrics Metrics, ILogger<ClientSession> Logger);
