using System.Formats.Asn1;
using System.Text;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Authentication.Ldap;

/// <summary>The few messages of LDAPv3 that are needed to check a password (RFC 4511 section 4), in BER.</summary>
internal static class LdapMessages
{
    public const int BindResponse = 1;
    public const int SearchResultEntry = 4;
    public const int SearchResultDone = 5;
    public const int SearchResultReference = 19;
    public const int ExtendedResponse = 24;
    private const int Version = 3;
    private const int WholeSubtree = 2;
    private const int TwoEntries = 2;
    private const string StartTlsOid = "1.3.6.1.4.1.1466.20037";

    public static byte[] Bind(int id, string name, ReadOnlySpan<byte> password)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(Application(0)))
            {
                writer.WriteInteger(Version);
                writer.WriteOctetString(Encoding.UTF8.GetBytes(name));
                writer.WriteOctetString(password, new Asn1Tag(TagClass.ContextSpecific, 0));
            }
        }
        return writer.Encode();
    }

    public static byte[] Search(int id, string searchBase, LdapFilter filter, UserName user, IReadOnlyList<string> attributes, int seconds)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(Application(3)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(searchBase));
                writer.WriteEnumeratedValue((Scope)WholeSubtree);
                writer.WriteEnumeratedValue(Aliases.Never);
                writer.WriteInteger(TwoEntries);
                writer.WriteInteger(seconds);
                writer.WriteBoolean(false);
                filter.Write(writer, user);
                using (writer.PushSequence())
                    foreach (var attribute in attributes) writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
            }
        }
        return writer.Encode();
    }

    public static byte[] StartTls(int id)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(Application(23)))
                writer.WriteOctetString(Encoding.ASCII.GetBytes(StartTlsOid), new Asn1Tag(TagClass.ContextSpecific, 0));
        }
        return writer.Encode();
    }

    public static byte[] Unbind(int id)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            writer.WriteNull(new Asn1Tag(TagClass.Application, 2));
        }
        return writer.Encode();
    }

    /// <summary>Reads one whole message.</summary>
    /// <exception cref="AsnContentException">It is none.</exception>
    public static LdapMessage Read(ReadOnlyMemory<byte> bytes)
    {
        var message = new AsnReader(bytes, AsnEncodingRules.BER).ReadSequence();
        if (!message.TryReadInt32(out var id)) throw new AsnContentException();
        var tag = message.PeekTag();
        if (tag.TagClass != TagClass.Application) throw new AsnContentException();
        var body = message.ReadSequence(tag);
        if (tag.TagValue == SearchResultEntry)
        {
            var dn = Encoding.UTF8.GetString(body.ReadOctetString());
            var attributes = new Dictionary<string, List<byte[]>>(StringComparer.OrdinalIgnoreCase);
            var list = body.ReadSequence();
            while (list.HasData)
            {
                var attribute = list.ReadSequence();
                var name = Encoding.UTF8.GetString(attribute.ReadOctetString());
                var values = new List<byte[]>();
                var set = attribute.ReadSetOf(skipSortOrderValidation: true);
                while (set.HasData) values.Add(set.ReadOctetString());
                attributes[name] = values;
            }
            return new LdapMessage(id, tag.TagValue, 0, dn, attributes);
        }
        if (tag.TagValue == SearchResultReference) return new LdapMessage(id, tag.TagValue, 0, "", LdapMessage.Nothing);
        return new LdapMessage(id, tag.TagValue, (int)body.ReadEnumeratedValue<ResultCode>(), "", LdapMessage.Nothing);
    }

    private static Asn1Tag Application(int number) => new(TagClass.Application, number, isConstructed: true);

    private enum Scope
    {
        Base,
    }

    private enum Aliases
    {
        Never,
    }

    private enum ResultCode
    {
        Success,
    }
}

/// <summary>A message from the directory.</summary>
/// <param name="Id">The question it belongs to.</param>
/// <param name="Kind">Its application tag.</param>
/// <param name="Result">Its result code, 0 is success.</param>
/// <param name="Dn">An entry's name.</param>
/// <param name="Attributes">An entry's attributes.</param>
internal sealed record LdapMessage(int Id, int Kind, int Result, string Dn, IReadOnlyDictionary<string, List<byte[]>> Attributes)
{
    public static readonly IReadOnlyDictionary<string, List<byte[]>> Nothing = new Dictionary<string, List<byte[]>>();
}
