using System.Buffers;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Writes ENVELOPE (RFC 3501 section 7.4.2).</summary>
internal static class EnvelopeWriter
{
    public static void Write(IBufferWriter<byte> output, HeaderFields header)
    {
        var from = Addresses(header, "From");
        output.Raw("("u8);
        output.NBytes(header.Find("Date"));
        output.Raw(" "u8);
        output.NBytes(header.Find("Subject"));
        WriteAddresses(output, from);
        // Who sends and whom to answer is whom it is from, where nothing else is said.
        WriteAddresses(output, Addresses(header, "Sender") is { Count: > 0 } sender ? sender : from);
        WriteAddresses(output, Addresses(header, "Reply-To") is { Count: > 0 } replyTo ? replyTo : from);
        WriteAddresses(output, Addresses(header, "To"));
        WriteAddresses(output, Addresses(header, "Cc"));
        WriteAddresses(output, Addresses(header, "Bcc"));
        output.Raw(" "u8);
        output.NBytes(header.Find("In-Reply-To"));
        output.Raw(" "u8);
        output.NBytes(header.Find("Message-ID"));
        output.Raw(")"u8);
    }

    /// <summary>A string, or NIL.</summary>
    public static void NBytes(this IBufferWriter<byte> output, byte[]? value)
    {
        if (value is null) output.Raw("NIL"u8);
        else output.String(value);
    }

    // Several fields of one name count as one with all addresses: whoever shows but one of them is not to be led astray.
    private static List<EnvelopeAddress> Addresses(HeaderFields header, string name)
    {
        var addresses = new List<EnvelopeAddress>();
        foreach (var value in header.FindAll(name)) AddressParser.Parse(value, addresses);
        return addresses;
    }

    private static void WriteAddresses(IBufferWriter<byte> output, List<EnvelopeAddress> addresses)
    {
        if (addresses.Count == 0)
        {
            output.Raw(" NIL"u8);
            return;
        }
        output.Raw(" ("u8);
        foreach (var address in addresses)
        {
            output.Raw("("u8);
            output.NBytes(address.Name);
            output.Raw(" "u8);
            output.NBytes(address.Route);
            output.Raw(" "u8);
            output.NBytes(address.Mailbox);
            output.Raw(" "u8);
            output.NBytes(address.Host);
            output.Raw(")"u8);
        }
        output.Raw(")"u8);
    }
}
