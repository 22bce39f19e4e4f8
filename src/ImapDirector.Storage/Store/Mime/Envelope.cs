using System.Buffers;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>The fields of a message's header that ENVELOPE tells (RFC 3501 section 7.4.2). Of a field that comes more than once the last counts;
/// addresses are put together, so that a client does not show one sender where another was checked.</summary>
internal sealed class Envelope
{
    private byte[]? _date;
    private byte[]? _subject;
    private byte[]? _inReplyTo;
    private byte[]? _messageId;
    private AddressList _from;
    private AddressList _sender;
    private AddressList _replyTo;
    private AddressList _to;
    private AddressList _cc;
    private AddressList _bcc;

    /// <summary>The day of the Date field; <c>null</c> if it is absent or none.</summary>
    public DateOnly? SentDate { get; private set; }

    public void Take(HeaderField field, ReadOnlySpan<byte> value)
    {
        switch (field)
        {
            case HeaderField.Date:
                _date = Formatted(value);
                SentDate = DateField.Parse(value);
                break;
            case HeaderField.Subject:
                var subject = new ArrayBufferWriter<byte>();
                subject.Human(value);
                _subject = subject.WrittenSpan.ToArray();
                break;
            case HeaderField.InReplyTo:
                _inReplyTo = Formatted(value);
                break;
            case HeaderField.MessageId:
                _messageId = Formatted(value);
                break;
            case HeaderField.From:
                _from.Add(value);
                break;
            case HeaderField.Sender:
                _sender.Add(value);
                break;
            case HeaderField.ReplyTo:
                _replyTo.Add(value);
                break;
            case HeaderField.To:
                _to.Add(value);
                break;
            case HeaderField.Cc:
                _cc.Add(value);
                break;
            case HeaderField.Bcc:
                _bcc.Add(value);
                break;
        }
    }

    public void Write(IBufferWriter<byte> output)
    {
        output.Raw("("u8);
        output.Raw(_date ?? "NIL"u8);
        output.Raw(" "u8);
        output.Raw(_subject ?? "NIL"u8);
        _from.Write(output);
        (_sender.IsEmpty ? _from : _sender).Write(output);
        (_replyTo.IsEmpty ? _from : _replyTo).Write(output);
        _to.Write(output);
        _cc.Write(output);
        _bcc.Write(output);
        output.Raw(" "u8);
        output.Raw(_inReplyTo ?? "NIL"u8);
        output.Raw(" "u8);
        output.Raw(_messageId ?? "NIL"u8);
        output.Raw(")"u8);
    }

    private static byte[] Formatted(ReadOnlySpan<byte> value)
    {
        var output = new ArrayBufferWriter<byte>();
        output.Text(value);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The address structures of one kind, ready to send.</summary>
    private struct AddressList
    {
        private ArrayBufferWriter<byte>? _structures;
        private int _count;

        public readonly bool IsEmpty => _count == 0;

        public void Add(ReadOnlySpan<byte> value)
        {
            _structures ??= new ArrayBufferWriter<byte>();
            _count += AddressListParser.Write(value, MimeLimits.MaxAddresses - _count, _structures);
        }

        public readonly void Write(IBufferWriter<byte> output)
        {
            if (IsEmpty)
            {
                output.Raw(" NIL"u8);
                return;
            }
            output.Raw(" ("u8);
            output.Raw(_structures!.WrittenSpan);
            output.Raw(")"u8);
        }
    }
}
