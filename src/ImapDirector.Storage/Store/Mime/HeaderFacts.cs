using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol.Text;
using MimeKit;
using MimeKit.Utils;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Gathers from a message's own header what is kept beside its ENVELOPE: the keys of SORT and THREAD, and the texts that are searched most.
/// Of a field that comes more than once the last counts for the keys, as in ENVELOPE; all of them are searched.</summary>
internal sealed class HeaderFacts
{
    /// <summary>The bytes of a hashed message id.</summary>
    public const int IdBytes = 16;

    /// <summary>Of each field no more than this is looked at: the decoders are not ours, and a stranger wrote the field.</summary>
    private const int MaxFieldBytes = 4096;

    private const int MaxKeyLength = 256;
    private const int MaxParents = 200;

    private byte[] _date = [];
    private byte[] _subject = [];
    private byte[] _from = [];
    private byte[] _to = [];
    private byte[] _cc = [];
    private byte[] _messageId = [];
    private byte[] _inReplyTo = [];
    private byte[] _references = [];
    private string? _fromText;
    private string? _toText;
    private string? _ccText;
    private string? _bccText;
    private string? _subjectText;
    private bool _isTooLong;

    public void Take(HeaderField field, ReadOnlySpan<byte> value)
    {
        var isLong = value.Length > MaxFieldBytes;
        // References grow at their end, and there the nearest are.
        var kept = isLong ? field == HeaderField.References ? value[^MaxFieldBytes..] : value[..MaxFieldBytes] : value;
        switch (field)
        {
            case HeaderField.Date: _date = kept.ToArray(); break;
            case HeaderField.MessageId: _messageId = kept.ToArray(); break;
            case HeaderField.InReplyTo: _inReplyTo = kept.ToArray(); break;
            case HeaderField.References: _references = kept.ToArray(); break;
            case HeaderField.Subject: TakeText(_subject = kept.ToArray(), ref _subjectText, isLong); break;
            case HeaderField.From: TakeText(_from = kept.ToArray(), ref _fromText, isLong); break;
            case HeaderField.To: TakeText(_to = kept.ToArray(), ref _toText, isLong); break;
            case HeaderField.Cc: TakeText(_cc = kept.ToArray(), ref _ccText, isLong); break;
            case HeaderField.Bcc: TakeText(kept.ToArray(), ref _bccText, isLong); break;
        }
    }

    /// <summary>The texts; <c>null</c> when some are too long to be kept: they are searched in the message itself.</summary>
    public HeaderTexts? Texts => _isTooLong ? null : new HeaderTexts(_fromText, _toText, _ccText, _bccText, _subjectText);

    public SortKeys Keys()
    {
        var (subject, isReply) = BaseSubject.Of(Decode(_subject));
        var (from, to, cc) = (First(_from), First(_to), First(_cc));
        return new SortKeys(DateUtils.TryParse(_date, out var sent) ? sent.ToUnixTimeSeconds() : null, Fold(subject), isReply,
            Fold(from.Mailbox), Fold(to.Mailbox), Fold(cc.Mailbox), Fold(from.Name), Fold(to.Name), MessageId(), Parents());
    }

    private void TakeText(byte[] value, ref string? text, bool isLong)
    {
        _isTooLong |= isLong || text?.Length > MaxFieldBytes;
        if (_isTooLong) return;
        var decoded = Decode(value);
        text = text is null ? decoded : text + "\n" + decoded;
    }

    /// <summary>A field's value as a person reads it.</summary>
    public static string Decode(ReadOnlySpan<byte> value)
    {
        // What folds lines is no part of the text.
        var unfolded = new byte[value.Length];
        var length = 0;
        foreach (var octet in value)
            if (octet is not ((byte)'\r' or (byte)'\n')) unfolded[length++] = octet;
        return Rfc2047.DecodeText(unfolded[..length]).Trim();
    }

    private static (string Mailbox, string Name) First(byte[] field)
    {
        if (!InternetAddressList.TryParse(field, out var list) || list.Count == 0) return ("", "");
        if (list[0] is not MailboxAddress address) return (list[0].Name ?? "", list[0].Name ?? "");
        return (address.LocalPart ?? "", string.IsNullOrWhiteSpace(address.Name) ? address.Address ?? "" : address.Name);
    }

    private byte[] MessageId() => MimeUtils.ParseMessageId(_messageId, 0, _messageId.Length) is { Length: > 0 } id ? Hash(id) : [];

    /// <summary>References, or the first id of In-Reply-To where there are none (RFC 5256 section 3).</summary>
    private byte[] Parents()
    {
        var ids = Ids(_references);
        if (ids.Length == 0) ids = [.. Ids(_inReplyTo).Take(1)];
        // The nearest are what counts when there are too many.
        return [.. ids.Skip(Math.Max(0, ids.Length - MaxParents)).SelectMany(Hash)];
    }

    private static string[] Ids(byte[] field) => field.Length == 0 ? [] : [.. MimeUtils.EnumerateReferences(field, 0, field.Length)];

    private static byte[] Hash(string id) => SHA256.HashData(Encoding.UTF8.GetBytes(id))[..IdBytes];

    /// <summary>To be compared by code points (RFC 5051).</summary>
    private static string Fold(string text) => CaseMap.Fold(text, MaxKeyLength, out _).Replace('\0', ' ');
}
