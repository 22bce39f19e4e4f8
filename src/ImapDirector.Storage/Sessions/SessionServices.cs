using ImapDirector.Network.Tls;
using ImapDirector.Storage.Mailboxes;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Sessions;

/// <summary>What all sessions of a node share.</summary>
internal sealed record SessionServices(StorageNodeOptions Options, ServerCertificate? Certificate, UserMailRegistry Mails, AssertionLogin? Assertions, string SpoolDirectory,
    HeavyWork Heavy, ProcessTurns Turns, StorageMetrics Metrics, ILogger Logger)
{
    /// <summary>Where names lead.</summary>
    public MailNamespaces Namespaces { get; } = new(Options.FindSharedUser());
}
