using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>A file with lists of revoked certificates.</summary>
internal static class RevocationFile
{
    private const string PemLabel = "X509 CRL";
    private const byte DerSequence = 0x30;

    /// <summary>Reads one: all lists in it can be used, or none is.</summary>
    /// <param name="file">Where it came from, for messages.</param>
    /// <param name="content">What is in it.</param>
    /// <param name="authorities">Whose lists they may be.</param>
    /// <param name="most">How many lists there may be.</param>
    /// <exception cref="InvalidDataException">It cannot be used; the message names the file and the fix.</exception>
    public static List<RevocationList> Parse(string file, FileContent content, X509Certificate2Collection authorities, int most)
    {
        if (content.Fault is { } fault) throw new InvalidDataException(fault);
        var lists = new List<RevocationList>();
        try
        {
            if (content.Bytes.Length > RevocationLists.MostFileBytes) throw Unusable($"is longer than {RevocationLists.MostFileBytes} bytes");
            if (content.Bytes is [DerSequence, ..]) Add(content.Bytes);
            else ReadPem(Encoding.Latin1.GetString(content.Bytes));
            return lists.Count > 0 ? lists : throw Unusable("has no list");
        }
        catch
        {
            foreach (var list in lists) list.Dispose();
            throw;
        }
        finally
        {
            OpenSslCalls.ERR_clear_error();
        }

        void ReadPem(ReadOnlySpan<char> text)
        {
            while (PemEncoding.TryFind(text, out var fields))
            {
                if (!text[fields.Label].SequenceEqual(PemLabel)) throw Unusable("has something else in it than lists");
                Add(Convert.FromBase64String(text[fields.Base64Data].ToString()));
                text = text[fields.Location.End..];
            }
        }

        void Add(byte[] encoded)
        {
            if (lists.Count == most) throw Unusable($"has one of more than {RevocationLists.MostLists} lists in CrlFiles");
            lists.Add(RevocationList.TryParse(encoded, authorities, out var why) ?? throw Unusable(why!));
        }

        InvalidDataException Unusable(string why) =>
            new($"The CRL file \"{file}\" {why}: give whole lists of revoked certificates (CRL), PEM or DER, of those in AuthorityFile, or leave it out.");
    }
}
