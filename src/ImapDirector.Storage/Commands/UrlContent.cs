using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>The bytes that a URL names: in CATENATE (RFC 4469) and URLFETCH (RFC 4467).</summary>
internal sealed class UrlContent : IAsyncDisposable
{
    private const int PieceBytes = 32 * 1024;

    private readonly Stream _content;
    private readonly SectionBytes _bytes;

    private UrlContent(Stream content, SectionBytes bytes) => (_content, _bytes) = (content, bytes);

    /// <summary>How many there are.</summary>
    public long Length => _bytes.Length;

    /// <summary>Finds them. No flag is set by it.</summary>
    /// <returns><c>null</c> when there is no such thing, or it may not be read: nothing tells the two apart.</returns>
    public static async ValueTask<UrlContent?> FindAsync(MailSession session, string url)
    {
        if (!MessageUrl.TryParse(url, out var named)) return await UrlAuthorization.FindAsync(session, url);
        if (named.Mailbox is { } name)
        {
            await using var access = await session.Mailboxes.FindAsync(name);
            return access.Refuses(MailboxRights.Read) is null && access.Mail.FindStatus(access.Name) is { } mailbox ? Find(access.Mail.Store, mailbox.Id, mailbox.UidValidity, named) : null;
        }
        return session.Selected is { MayRead: true } selected ? Find(selected.Mail.Store, selected.Shared.Id, selected.Shared.UidValidity, named) : null;
    }

    /// <summary>Adds them to a spool.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public async ValueTask CopyAsync(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink, CancellationToken cancellationToken)
    {
        var piece = new byte[(int)Math.Min(PieceBytes, Math.Max(1, Length))];
        foreach (var range in _bytes.Ranges)
        {
            _content.Position = range.Start;
            for (var left = range.Length; left > 0;)
            {
                var read = await _content.ReadAsync(piece.AsMemory(0, (int)Math.Min(left, piece.Length)), cancellationToken);
                if (read == 0) throw new StoreException("A message is shorter than it should be.");
                await sink(piece.AsMemory(0, read), cancellationToken);
                left -= read;
            }
        }
        if (!_bytes.Suffix.IsEmpty) await sink(_bytes.Suffix, cancellationToken);
    }

    /// <summary>The refusal that names the URL. It is repeated as far as it can stand in a response code.</summary>
    public static CommandResult Bad(string url)
    {
        var quoted = new StringBuilder();
        foreach (var value in Encoding.UTF8.GetBytes(url))
        {
            if (value is > (byte)' ' and < 0x7f and not ((byte)'"' or (byte)'\\' or (byte)']')) quoted.Append((char)value);
            else quoted.Append(System.Globalization.CultureInfo.InvariantCulture, $"%{value:X2}");
        }
        return CommandResult.No($"BADURL \"{quoted}\"", "There is nothing there to be added.");
    }

    public ValueTask DisposeAsync() => _content.DisposeAsync();

    /// <summary>Finds them in a mailbox that may be read.</summary>
    /// <returns><c>null</c> when there is no such thing.</returns>
    public static UrlContent? Find(UserStore store, long mailboxId, uint uidValidity, MessageUrl url)
    {
        if (url.UidValidity is { } expected && expected != uidValidity) return null;
        if (store.FindContent(mailboxId, url.Uid) is not { } contentId) return null;
        Stream? content = null;
        try
        {
            content = store.Contents.Open(contentId);
            var bytes = url.Section.IsWholeMessage() ? SectionBytes.Of(0, content.Length) : SectionLocator.Find(url.Section, store.Contents.LoadSummary(contentId), content);
            if (bytes is not null) return new UrlContent(content, bytes.Cut(url.Offset, url.Length ?? uint.MaxValue));
        }
        catch (StoreException) when (store.FindContent(mailboxId, url.Uid) is null)
        {
            // Expunged meanwhile.
        }
        catch
        {
            content?.Dispose();
            throw;
        }
        content?.Dispose();
        return null;
    }
}
