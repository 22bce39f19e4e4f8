using ImapDirector.Director.Authentication;
using ImapDirector.Director.Directory;
using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Delivery;

/// <summary>Passes a message on to each recipient's node. It never queues: what a node cannot take now is answered 4xx.</summary>
internal sealed class DeliveryHandler(DirectorOptions options, RedisPasswordDatabase accounts, UserDirectory directory,
    DirectorMetrics metrics, ILogger<DeliveryHandler> logger) : ILmtpHandler
{
    /// <inheritdoc />
    public ValueTask<LmtpReply> AddRecipientAsync(LmtpTransaction transaction, LmtpRecipient recipient, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<LmtpReply>> DeliverAsync(LmtpTransaction transaction, MessageSpool message, CancellationToken cancellationToken) => throw new NotImplementedException();
}
